/**
 * The grid: what is to become of every ordered pair of NAT kinds, and why. Both worlds are held to it, the simulator (test/sim) and
 * the kernel lab (test/lab). A cell without a path is to fail for the reason that stands here, so that whoever makes it connect
 * finds the test red, and raises the table.
 *
 * Nothing predicts ports yet, and this grid is run without a relay, which connects all the others.
 */
import { type Filtering, NAT_KIND_NAMES, NAT_KINDS, type NatKind, type NatKindName, type RouterBehaviour } from "./grid/nat-kinds.js";
import { strictest } from "./grid/verdict.js";

/** Connector first, as in `peer ping`. */
export type Cell = readonly [connector: NatKindName, listener: NatKindName];

/** Why there is no direct path. */
export type NoPath = "udp-blocked" | "one-symmetric" | "both-symmetric";

export type Expectation =
  | { readonly outcome: "direct" }
  | { readonly outcome: "none"; readonly reason: NoPath }
  /** Either, as the NAT's dice fall; `reason`: of those without luck. */
  | { readonly outcome: "luck"; readonly reason: NoPath };

/** What the `reason` event says on either side of a pair that has no path. */
export const REASON_TEXTS: Readonly<Record<NoPath, RegExp>> = {
  "udp-blocked": /UDP is blocked on (?:this|the other) side/,
  "one-symmetric": /the symmetric side's port cannot be known/,
  "both-symmetric": /so neither port can be known/,
};

export const CELLS: readonly Cell[] = NAT_KIND_NAMES.flatMap((connector) => NAT_KIND_NAMES.map((listener): Cell => [connector, listener]));

export function expectationOf([connector, listener]: Cell): Expectation {
  return expectationBetween(NAT_KINDS[connector], NAT_KINDS[listener]);
}

/** What stands between a host and the Internet. */
type Surroundings = Pick<NatKind, "ipv6"> & { readonly layers: readonly RouterBehaviour[] };

/**
 * It takes one packet: one side must let in what the other sends to the endpoint that it is known by. From then on that side knows
 * the other's true endpoint, and its NAT lets the answers out and in. NATs with a dependent mapping are taken to filter strictly, as
 * all do that are known.
 */
export function expectationBetween(connector: Surroundings, listener: Surroundings): Expectation {
  const [a, b] = [sideOf(connector), sideOf(listener)];
  if (a.blocksUdp || b.blocksUdp) return { outcome: "none", reason: "udp-blocked" };
  if (a.hasIpv6 && b.hasIpv6) return { outcome: "direct" };
  const openings = [admits(a, b), admits(b, a)];
  if (openings.includes("always")) return { outcome: "direct" };
  const reason = a.isPredictable || b.isPredictable ? "one-symmetric" : "both-symmetric";
  return { outcome: openings.includes("by luck") ? "luck" : "none", reason };
}

/** All routers of a side seen as one. */
interface Side {
  /** Peers and servers see the same port: the one that is known. */
  readonly isPredictable: boolean;
  /** Peers and servers see the same address. */
  readonly hasOneAddress: boolean;
  readonly filtering: Filtering;
  readonly blocksUdp: boolean;
  /** And no worse there than behind a firewall. */
  readonly hasIpv6: boolean;
}

function sideOf({ layers, ipv6 }: Surroundings): Side {
  const isPredictable = layers.every(({ nat }) => nat === null || nat.mapping === "endpoint-independent");
  return {
    isPredictable,
    // Each of several mappings may get another address, here or further out.
    hasOneAddress: isPredictable || layers.every(({ nat }) => (nat?.pool ?? 1) === 1),
    filtering: strictest(layers.map((layer) => layer.filtering)) ?? "endpoint-independent",
    blocksUdp: layers.some(({ udp }) => udp === "block"),
    hasIpv6: ipv6 !== undefined,
  };
}

/** Whether what `sender` sends to the known endpoint of `receiver` comes in, once `receiver` has sent to what it knows of `sender`. */
function admits(receiver: Side, sender: Side): "always" | "by luck" | "never" {
  // Its answers would come from elsewhere than was sent to.
  if (!receiver.isPredictable) return "never";
  switch (receiver.filtering) {
    case "endpoint-independent":
      return "always";
    case "address-dependent":
      return sender.hasOneAddress ? "always" : "by luck";
    case "address-and-port-dependent":
      return sender.isPredictable ? "always" : "never";
  }
}
