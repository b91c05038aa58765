/**
 * Peers as they are found, from what has been published of their NATs.
 *
 * - Richter et al., "A Multi-perspective Analysis of Carrier-Grade NAT Deployment", IMC 2016: over 92 % of cellular networks and 17 to
 *   18 % of fixed ones have a carrier-grade NAT. Of those of cellular networks some 40 % are symmetric, of which 45 % allocate random
 *   ports and 26 % sequential ones; 21 % pool their addresses.
 * - Ford, Srisuresh and Kegel, "Peer-to-Peer Communication Across Network Address Translators", USENIX 2005: 82 % of home NATs can be
 *   punched by UDP, 24 % hairpin.
 * - RFC 9308 section 2: 3 to 5 % of networks block all UDP.
 *
 * What nobody has published is assumed, and against us where there is a choice: every NAT filters by address and port; half of the
 * home routers keep ports, and half of these confirm what nothing asked for; a fixed carrier's NAT is endpoint-independent, as RFC
 * 6888 demands; the symmetric ones of neither kind of allocation are random; phones without a carrier's NAT are behind a firewall;
 * nobody has IPv6, a port mapping, or a neighbour for a peer; delays and losses are those below.
 */
import type { RouterBehaviour, Translation } from "../grid/nat-kinds.js";
import { expectationBetween, type NoPath } from "../grid.js";
import { meet } from "./attempt.js";
import { type LineConditions, PERFECT } from "./line.js";
import { Random } from "./random.js";
import type { SitePlan } from "./site.js";

export type AccessNetwork = "fixed" | "cellular";

/** Shares of all networks. */
const UDP_BLOCKED = 0.04;
const FIXED_CGN = 0.175;
const CELLULAR_CGN = 0.92;

/** Shares of home NATs. */
const PUNCHABLE = 0.82;
const HAIRPINNING = 0.24;
const PRESERVING = 0.5;
const CONFIRMING = 0.5;

/** Shares of the carrier-grade NATs of cellular networks; sequential: of the symmetric ones. */
const SYMMETRIC = 0.4;
const SEQUENTIAL = 0.26;
const POOLED = 0.21;
const POOL = 4;

/** Carriers' mappings live as short as any, those of homes a few minutes. */
const CGN_LIFETIME_S = 60;
const HOME_LIFETIME_S = 150;

interface Meeting {
  readonly connector: AccessNetwork;
  readonly listener: AccessNetwork;
  readonly seed: number;
}

/** What passing on a message takes. */
const RENDEZVOUS_MS = 2;

export interface MeetingResult {
  /** Whether the grid's rule wants it to connect. */
  readonly isForeseen: boolean;
  readonly direct: boolean;
  readonly why: NoPath | "something else" | "undecided" | undefined;
  readonly strategy: string | undefined;
  readonly punchMs: number;
  readonly tries: number;
}

/** Two peers are drawn and try to connect. */
export function meetOnce({ connector, listener, seed }: Meeting): MeetingResult {
  const random = new Random(seed);
  const [here, there] = [drawPlan(connector, random), drawPlan(listener, random)];
  const lines = { connector: drawLine(connector, random), listener: drawLine(listener, random) };
  // The rendezvous is where the lines meet.
  const signalMs = lines.connector.delayMs + lines.listener.delayMs + RENDEZVOUS_MS;
  const { outcome, path, why, tries } = meet(here, there, { seed: random.uint32(), lines, signalMs });
  const direct = outcome === "direct";
  return {
    isForeseen: expectationBetween(here, there).outcome === "direct",
    direct,
    why: direct ? undefined : (why ?? "undecided"),
    strategy: path?.strategy,
    punchMs: (direct ? path?.punchMs : undefined) ?? Number.NaN,
    tries,
  };
}

function drawPlan(access: AccessNetwork, random: Random): SitePlan {
  const layers = access === "fixed" ? drawFixed(random) : drawCellular(random);
  const lan = access === "fixed" ? `192.168.${random.below(256)}` : `10.${random.below(256)}.${random.below(256)}`;
  return { layers: random.happens(UDP_BLOCKED) ? layers.map((layer) => ({ ...layer, udp: "block" })) : layers, lan };
}

function drawFixed(random: Random): RouterBehaviour[] {
  const keepsPorts = random.happens(PRESERVING);
  const nat: Translation = random.happens(PUNCHABLE)
    ? { mapping: "endpoint-independent", allocation: keepsPorts ? "preserving" : "random" }
    : { mapping: "address-and-port-dependent", allocation: "random" };
  const home: RouterBehaviour = {
    ...STRICT,
    nat,
    lifetimeSeconds: HOME_LIFETIME_S,
    hairpin: random.happens(HAIRPINNING),
    unsolicited: nat.allocation === "preserving" && random.happens(CONFIRMING) ? "confirm" : "drop",
  };
  const carrier: RouterBehaviour = { ...STRICT, nat: { mapping: "endpoint-independent", allocation: "random" } };
  return random.happens(FIXED_CGN) ? [carrier, home] : [home];
}

function drawCellular(random: Random): RouterBehaviour[] {
  if (!random.happens(CELLULAR_CGN)) return [{ ...STRICT, nat: null }];
  const pool = random.happens(POOLED) ? POOL : 1;
  if (!random.happens(SYMMETRIC)) return [{ ...STRICT, nat: { mapping: "endpoint-independent", allocation: "random", pool } }];
  const allocation = random.happens(SEQUENTIAL) ? "sequential" : "random";
  return [{ ...STRICT, nat: { mapping: "address-and-port-dependent", allocation, pool } }];
}

const STRICT = {
  filtering: "address-and-port-dependent",
  unsolicited: "drop",
  udp: "forward",
  refresh: "both",
  hairpin: false,
  lifetimeSeconds: CGN_LIFETIME_S,
} as const;

function drawLine(access: AccessNetwork, random: Random): LineConditions {
  const [least, spread, jitterMs, loss] = access === "fixed" ? [5, 20, 5, 0.01] : [20, 40, 20, 0.02];
  return { ...PERFECT, delayMs: least + random.unit() * spread, jitterMs: random.unit() * jitterMs, loss: random.unit() * loss };
}
