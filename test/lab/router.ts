import { Host } from "./host.js";
import type { RouterBehaviour } from "./nat-kinds.js";
import type { Plan } from "./plan.js";
import { conntrackSysctls, forget, ruleset } from "./ruleset.js";
import { Segment } from "./segment.js";
import type { World } from "./world.js";

/** Where the outermost router of a site is plugged in. */
export interface Uplink {
  readonly segment: Segment;
  /** The router's address there. */
  readonly address: string;
  /** The public /24, as its first three numbers, that is the LAN's if nothing translates. */
  readonly routedPrefix: string;
}

/** The segment inside a router, and the first three numbers of its addresses. */
export interface Lan {
  readonly segment: Segment;
  readonly prefix: string;
}

/** A machine with a `wan` interface, a `lan` bridge, and a behaviour between them. */
export class Router extends Host {
  readonly behaviour: RouterBehaviour;

  constructor(world: World, name: string, wan: string, behaviour: RouterBehaviour) {
    super(world, name, [wan]);
    this.behaviour = behaviour;
  }

  /** Shell commands, to be run inside, that make it forget its flows and mappings. */
  get forget(): readonly string[] {
    // Maps first: a flow that slips in between then keeps its whole mapping instead of half of it.
    return [`nft '${forget(this.behaviour)}'`, "conntrack -F"];
  }
}

/** Adds one router after the other, each LAN the next one's uplink. Outermost first. */
export function layRouters(
  world: World,
  plan: Plan,
  site: string,
  layers: readonly RouterBehaviour[],
  uplink: Uplink,
): { routers: Router[]; lan: Lan } {
  const routers: Router[] = [];
  let { segment, address } = uplink;
  let prefix = uplink.routedPrefix;
  for (const [depth, behaviour] of layers.entries()) {
    const innermost = depth === layers.length - 1;
    const router = new Router(world, `${site}-${innermost ? "router" : "carrier"}`, address, behaviour);
    routers.push(router);

    plan.namespace(router.name);
    segment.plug(plan, router.name, "wan", [address]);
    prefix = lanPrefix(behaviour, innermost, uplink.routedPrefix);
    if (behaviour.nat === null) segment.route(plan, prefix, address);
    plan.sysctl(router.name, { "net.ipv4.ip_forward": 1 });
    const rules = ruleset(behaviour, address);
    if (rules !== "") {
      plan.nft(router.name, rules);
      plan.sysctl(router.name, conntrackSysctls(behaviour));
    }

    segment = new Segment(plan, router.name, "lan");
    address = `${prefix}.1`;
  }
  return { routers, lan: { segment, prefix } };
}

/** The same private prefix behind every home and every carrier, as in reality: 192.168.1.0/24 and RFC 6598's. */
function lanPrefix({ nat }: RouterBehaviour, innermost: boolean, routedPrefix: string): string {
  if (nat === null) return routedPrefix;
  return innermost ? "192.168.1" : "100.64.0";
}
