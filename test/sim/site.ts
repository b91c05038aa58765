import { layersOf, NAT_KINDS, type NatKindName, type RouterBehaviour, type RouterTraits } from "../grid/nat-kinds.js";
import type { Clock } from "./clock.js";
import { Host } from "./host.js";
import type { Access, Internet } from "./internet.js";
import type { LineConditions } from "./line.js";
import type { Network } from "./network.js";
import type { Random } from "./random.js";
import { Router } from "./router.js";

/** What every router of the simulator is made from. */
interface Ground {
  readonly clock: Clock;
  readonly random: Random;
}

export interface SitePlan {
  /** Routers between the Internet and the LAN, outermost first. */
  readonly layers: readonly RouterBehaviour[];
  /** @default there is no IPv6 */
  readonly ipv6?: RouterBehaviour;
  /** The first three numbers of the LAN's addresses, where something translates them. @default 192.168.1 */
  readonly lan?: string;
}

/** The routers of a kind, each with these traits in place of its own. */
export function planOf(kind: NatKindName, traits: Partial<RouterTraits> = {}): SitePlan {
  const { ipv6 } = NAT_KINDS[kind];
  return { layers: layersOf(kind, traits), ...(ipv6 && { ipv6: { ...ipv6, ...traits } }) };
}

/** Where a site is plugged in: the Internet, or the inside of a carrier's NAT. */
interface Uplink {
  readonly network: Network;
  /** The first three numbers of the outermost router's addresses. */
  readonly prefix: string;
}

/**
 * A LAN behind the routers of a NAT kind. The addresses are those of the kernel lab: 198.18.N.0/24 outside, 198.19.N.0/24 where
 * nothing translates, 100.64.0.0/24 behind a carrier's NAT, and the same 192.168.1.0/24 in every home.
 */
export class Site {
  /** The outermost first; the one of IPv6, if any, last. */
  readonly routers: readonly Router[];
  /** Its lines to the Internet; those of a home are its carrier's. */
  readonly accesses: readonly Access[];
  readonly #number: number;
  readonly #lan: { readonly network: Network; readonly prefix: string };
  readonly #ipv6: Network | undefined;
  #hosts = 0;

  /** `number`: from 1 to 254, another for each site. */
  static on(internet: Internet, ground: Ground, number: number, plan: SitePlan, conditions?: LineConditions): Site {
    const { access, network } = internet.join(conditions);
    return new Site(ground, number, plan, { network, prefix: `198.18.${number}` }, [access]);
  }

  /** A home behind the innermost router of this site, which is a carrier then. */
  home(ground: Ground, number: number, plan: SitePlan): Site {
    return new Site(ground, number, plan, { network: this.#lan.network, prefix: "100.64.0" }, this.accesses, this.routers);
  }

  private constructor(
    { clock, random }: Ground,
    number: number,
    { layers, ipv6, lan = "192.168.1" }: SitePlan,
    uplink: Uplink,
    accesses: readonly Access[],
    carriers: readonly Router[] = [],
  ) {
    this.#number = number;
    this.accesses = accesses;
    const routers = [...carriers];
    let { network, prefix } = uplink;
    for (const [depth, behaviour] of layers.entries()) {
      // A number of its own in a carrier's network, which homes share.
      const first = prefix === "100.64.0" ? number : 1;
      const addresses = Array.from({ length: behaviour.nat?.pool ?? 1 }, (_, i) => `${prefix}.${first + i}`);
      const router = new Router(clock, random.fork(), network, addresses, behaviour);
      routers.push(router);
      network = router;
      prefix = behaviour.nat === null ? `198.19.${number}` : depth < layers.length - 1 ? "100.64.0" : lan;
    }
    this.#lan = { network, prefix };
    if (ipv6) {
      const router = new Router(clock, random.fork(), uplink.network, [`2001:db8:${number}::1`], ipv6);
      routers.push(router);
      this.#ipv6 = router;
    }
    this.routers = routers;
  }

  addHost(): Host {
    const last = 9 + ++this.#hosts;
    const { network, prefix } = this.#lan;
    const ipv6 = this.#ipv6 ? [{ address: `2001:db8:${this.#number}:1::${last}`, network: this.#ipv6 }] : [];
    return new Host([{ address: `${prefix}.${last}`, network }, ...ipv6]);
  }
}
