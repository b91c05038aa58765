import { layersOf, NAT_KINDS, type NatKindName, type RouterTraits } from "../grid/nat-kinds.js";
import { Host } from "./host.js";
import { inNamespace, Plan } from "./plan.js";
import { type Lan, layRouters, type Router, type Uplink } from "./router.js";
import { loss } from "./ruleset.js";
import type { World } from "./world.js";

/** One LAN behind the router or routers of a NAT kind. */
export class Site {
  readonly kind: NatKindName;
  readonly name: string;
  /** Outermost first: one, or two behind a carrier, which other sites may share. */
  readonly routers: readonly Router[];
  readonly #world: World;
  readonly #lan: Lan;
  readonly #hosts: Host[] = [];
  #hostNumber = 0;

  /** For Lab.site() and Carrier.site(): adds the site, with its first host, to `plan` and brings it up. */
  static async build(
    world: World,
    plan: Plan,
    kind: NatKindName,
    traits: Partial<RouterTraits>,
    name: string,
    uplink: Uplink,
  ): Promise<Site> {
    const { routers, lan } = layRouters(world, plan, name, layersOf(kind, traits), NAT_KINDS[kind].ipv6, uplink, "home");
    const site = new Site(world, kind, name, [...uplink.routers, ...routers], lan);
    await site.#addHost(plan);
    return site;
  }

  private constructor(world: World, kind: NatKindName, name: string, routers: readonly Router[], lan: Lan) {
    this.#world = world;
    this.#lan = lan;
    this.kind = kind;
    this.name = name;
    this.routers = routers;
  }

  get hosts(): readonly Host[] {
    return this.#hosts;
  }

  /** The first host. */
  get host(): Host {
    return first(this.#hosts);
  }

  /** The router that the hosts see: the innermost. */
  get router(): Router {
    return first(this.routers.slice(-1));
  }

  /** The address that the Internet sees: of the outermost router, or of the host if nothing translates. */
  get publicAddress(): string {
    const outermost = first(this.routers);
    return outermost.behaviour.nat === null ? this.host.address : outermost.address;
  }

  /** Another host in the same LAN. */
  addHost(): Promise<Host> {
    return this.#addHost(new Plan());
  }

  /** Loses `percent` of the packets on the outermost WAN, in each direction. 0 removes the loss. */
  async setLoss(percent: number): Promise<void> {
    await this.#world.script(inNamespace(first(this.routers).name, [`nft '${loss(percent)}'`]));
  }

  /** Makes every router forget its flows and mappings, or those of UDP. A flow that goes on meanwhile is learned again at once. */
  async flush(what: "all" | "udp" = "all"): Promise<void> {
    await this.#world.script(this.routers.map((router) => inNamespace(router.name, router.forget(what))).join("\n"));
  }

  async #addHost(plan: Plan): Promise<Host> {
    const number = ++this.#hostNumber;
    const { prefix, prefix6 } = this.#lan;
    const addresses6 = prefix6 === undefined ? [] : [`${prefix6}::${9 + number}`];
    const host = new Host(this.#world, `${this.name}-host${number}`, [`${prefix}.${9 + number}`, ...addresses6]);
    plan.namespace(host.name);
    this.#lan.segment.plug(plan, host.name, "eth0", host.addresses);
    await this.#world.script(plan.script());
    this.#hosts.push(host);
    return host;
  }
}

function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error("a site has a router and a host from the start");
  return item;
}
