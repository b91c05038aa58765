import type { Plan } from "./plan.js";

/**
 * A bridge that is its own gateway: what the Internet, a carrier's network and a home LAN have in
 * common. Every subnet is a /24 whose gateway is .254, or a /64 whose gateway is ::fe.
 */
export class Segment {
  readonly #netns: string;
  readonly #bridge: string;
  readonly #subnets = new Set<string>();
  /** Who has a default route of which family. */
  readonly #routed = new Set<string>();
  #ports = 0;

  constructor(plan: Plan, netns: string, bridge: string) {
    this.#netns = netns;
    this.#bridge = bridge;
    plan.bridge({ netns, name: bridge });
  }

  /** Plugs in interface `name` of `netns`, gives it the addresses and a default route. */
  plug(plan: Plan, netns: string, name: string, addresses: readonly [string, ...string[]]): void {
    this.#ports += 1;
    const port = `${this.#bridge}-${this.#ports}`;
    plan.cable({ netns, name }, { netns: this.#netns, name: port });
    plan.ip(this.#netns, `link set ${port} master ${this.#bridge}`);
    for (const address of addresses) this.join(plan, netns, name, address);
  }

  /** Gives an interface that is plugged in one more address, and a default route if it is the first of its family. */
  join(plan: Plan, netns: string, name: string, address: string): void {
    this.#joinSubnet(plan, address);
    plan.ip(netns, `addr add ${address}/${bitsOf(address)} dev ${name}${nodad(address)}`);
    const route = `${netns} ${isIPv6(address)}`;
    if (this.#routed.has(route)) return;
    this.#routed.add(route);
    plan.ip(netns, `route add default via ${gatewayOf(address)}`);
  }

  /** Sends the traffic for a whole subnet, named by any address in it, to one machine of the segment. */
  route(plan: Plan, inside: string, via: string): void {
    plan.ip(this.#netns, `route add ${networkOf(inside)} via ${via}`);
  }

  #joinSubnet(plan: Plan, address: string): void {
    const gateway = gatewayOf(address);
    if (this.#subnets.has(gateway)) return;
    this.#subnets.add(gateway);
    plan.ip(this.#netns, `addr add ${gateway}/${bitsOf(address)} dev ${this.#bridge}${nodad(address)}`);
  }
}

const isIPv6 = (address: string) => address.includes(":");
const bitsOf = (address: string) => (isIPv6(address) ? 64 : 24);
/** IPv6 addresses of the lab are written `prefix::host`. */
const prefixOf = (address: string) => address.slice(0, address.lastIndexOf(isIPv6(address) ? "::" : "."));
const gatewayOf = (address: string) => (isIPv6(address) ? `${prefixOf(address)}::fe` : `${prefixOf(address)}.254`);
const networkOf = (address: string) => (isIPv6(address) ? `${prefixOf(address)}::/64` : `${prefixOf(address)}.0/24`);
/** Nobody else can have it: no wait for somebody to object. */
const nodad = (address: string) => (isIPv6(address) ? " nodad" : "");
