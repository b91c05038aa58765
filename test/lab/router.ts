import type { RouterBehaviour } from "../grid/nat-kinds.js";
import { Host } from "./host.js";
import type { Plan } from "./plan.js";
import { conntrackSysctls, forget, HAIRPIN, ruleset, ruleset6 } from "./ruleset.js";
import { Segment } from "./segment.js";
import type { World } from "./world.js";

/** Where the outermost router of a site is plugged in. */
export interface Uplink {
  readonly segment: Segment;
  /** The router's address there. */
  readonly address: string;
  /** The public /24, as its first three numbers, that is the LAN's if nothing translates. */
  readonly routedPrefix: string;
  /** Where the uplink has IPv6: the router's address there, and the /64, without its colons at the end, that is the LAN's. */
  readonly ipv6?: { readonly address: string; readonly routedPrefix: string };
  /** The carrier's routers on the way to the Internet, outermost first. */
  readonly routers: readonly Router[];
}

/** The segment inside a router, and the first three numbers of its addresses. */
export interface Lan {
  readonly segment: Segment;
  readonly prefix: string;
  /** Of its /64, if it has IPv6. */
  readonly prefix6: string | undefined;
}

/** A machine with a `wan` interface, a `lan` bridge, and a behaviour between them. */
export class Router extends Host {
  readonly behaviour: RouterBehaviour;

  constructor(world: World, name: string, wan: string, behaviour: RouterBehaviour) {
    super(world, name, [wan]);
    this.behaviour = behaviour;
  }

  /** Shell commands, to be run inside, that make it forget its flows and mappings: all of them, or those of UDP. */
  forget(what: "all" | "udp"): readonly string[] {
    // Maps first: a flow that slips in between then keeps its whole mapping instead of half of it.
    // To delete when there is nothing is an error.
    const flows = what === "all" ? ["conntrack -F"] : ["conntrack -D -p udp || true", "conntrack -D -f ipv6 -p udp || true"];
    return [`nft '${forget(this.behaviour)}'`, ...flows];
  }
}

/** What the innermost router serves. */
export type Inside = "home" | "carrier";

/** Adds one router after the other, each LAN the next one's uplink. Outermost first. */
export function layRouters(
  world: World,
  plan: Plan,
  site: string,
  layers: readonly RouterBehaviour[],
  ipv6: RouterBehaviour | undefined,
  uplink: Uplink,
  inside: Inside,
): { routers: Router[]; lan: Lan } {
  if (ipv6 && (layers.length > 1 || !uplink.ipv6)) throw new RangeError("the lab has IPv6 only behind one router on the Internet");
  const routers: Router[] = [];
  let { segment, address } = uplink;
  let prefix = uplink.routedPrefix;
  for (const [depth, behaviour] of layers.entries()) {
    const innermost = depth === layers.length - 1;
    const serves = innermost ? inside : "carrier";
    const router = new Router(world, `${site}-${innermost ? "router" : "carrier"}`, address, behaviour);
    routers.push(router);

    plan.namespace(router.name);
    segment.plug(plan, router.name, "wan", [address]);
    prefix = lanPrefix(behaviour, serves, uplink.routedPrefix);
    if (behaviour.nat === null) segment.route(plan, `${prefix}.0`, address);
    plan.sysctl(router.name, { "net.ipv4.ip_forward": 1 });
    const rules = ruleset(behaviour, address);
    if (rules !== "") {
      plan.nft(router.name, rules);
      plan.sysctl(router.name, conntrackSysctls(behaviour));
    }
    if (behaviour.hairpin) loop(plan, router);

    if (ipv6 && uplink.ipv6) layIPv6(plan, router, segment, ipv6, uplink.ipv6);
    segment = new Segment(plan, router.name, "lan");
    address = `${prefix}.1`;
  }
  return { routers, lan: { segment, prefix, prefix6: ipv6 && uplink.ipv6?.routedPrefix } };
}

function layIPv6(plan: Plan, { name }: Router, segment: Segment, behaviour: RouterBehaviour, uplink: NonNullable<Uplink["ipv6"]>): void {
  segment.join(plan, name, "wan", uplink.address);
  segment.route(plan, `${uplink.routedPrefix}::`, uplink.address);
  plan.sysctl(name, { "net.ipv6.conf.all.forwarding": 1 });
  plan.nft(name, ruleset6(behaviour));
}

/** The same private prefix behind every home and every carrier, as in reality: 192.168.1.0/24 and RFC 6598's. */
function lanPrefix({ nat }: RouterBehaviour, serves: Inside, routedPrefix: string): string {
  if (nat === null) return routedPrefix;
  return serves === "home" ? "192.168.1" : "100.64.0";
}

const LOOP_MAC = "02:00:00:00:00:02";
const LOOP_TABLE = 99;

/**
 * Leads what the LAN sends to the external address out through one end of a cable and in through the other, so that both directions
 * are translated and filtered as on the WAN. The kernel would rather deliver it to the router itself, hence the rule before `local`.
 */
function loop(plan: Plan, { name, address }: Router): void {
  plan.cable({ netns: name, name: HAIRPIN.out }, { netns: name, name: HAIRPIN.in });
  plan.ip(
    name,
    `link set ${HAIRPIN.in} address ${LOOP_MAC}`,
    `neigh add ${address} lladdr ${LOOP_MAC} dev ${HAIRPIN.out} nud permanent`,
    `route add ${address}/32 dev ${HAIRPIN.out} table ${LOOP_TABLE}`,
    "rule add pref 10 lookup local",
    "rule del pref 0",
  );
  // Once the bridge is there: a rule for an interface that is not holds only from when it appears.
  plan.ip(name, `rule add pref 5 iif lan to ${address} lookup ${LOOP_TABLE}`);
  plan.sysctl(name, { [`net.ipv4.conf.${HAIRPIN.in}.accept_local`]: 1 });
}
