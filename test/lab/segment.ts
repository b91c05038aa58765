import type { Plan } from "./plan.js";

/**
 * A bridge that is its own gateway: what the Internet, a carrier's network and a home LAN have in
 * common. Every subnet is a /24, and its gateway is .254.
 */
export class Segment {
  readonly #netns: string;
  readonly #bridge: string;
  readonly #subnets = new Set<string>();
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
    for (const address of addresses) this.#joinSubnet(plan, prefixOf(address));
    plan.ip(netns, ...addresses.map((address) => `addr add ${address}/24 dev ${name}`));
    plan.ip(netns, `route add default via ${prefixOf(addresses[0])}.254`);
  }

  /** Sends the traffic for a whole /24 to one machine of the segment. */
  route(plan: Plan, prefix: string, via: string): void {
    plan.ip(this.#netns, `route add ${prefix}.0/24 via ${via}`);
  }

  #joinSubnet(plan: Plan, prefix: string): void {
    if (this.#subnets.has(prefix)) return;
    this.#subnets.add(prefix);
    plan.ip(this.#netns, `addr add ${prefix}.254/24 dev ${this.#bridge}`);
  }
}

const prefixOf = (address: string) => address.slice(0, address.lastIndexOf("."));
