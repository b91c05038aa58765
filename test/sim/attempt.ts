import type { PathEvent, ReasonEvent } from "@awl/peer";
import { verdictOn } from "../grid/verdict.js";
import { type Cell, type NoPath, REASON_TEXTS } from "../grid.js";
import { Duo, type DuoOptions } from "./duo.js";
import type { Random } from "./random.js";
import { planOf, type SitePlan } from "./site.js";

/** Everything about an attempt that is not the pair of NATs. */
export type Weather = Pick<DuoOptions, "seed" | "signalMs" | "skewMs" | "way" | "lines">;

export interface Attempt {
  /** `undecided`: nothing has come of it in all the time there was. */
  readonly outcome: "direct" | "none" | "undecided";
  /** Of the connector. */
  readonly path: PathEvent | undefined;
  /** Tries of the connector's. */
  readonly tries: number;
  /** What the two sides said, where they said why there is no path: the same thing, by the table's patterns. */
  readonly why: NoPath | "something else" | undefined;
  readonly duo: Duo;
}

/** A first connection that goes nowhere is given up long before. */
const PATIENCE_MS = 120_000;

/** What nat-probe takes on an answering server, and where nothing answers. */
const VERDICT_MS = 500;
const BLOCKED_VERDICT_MS = 2_200;

/** One attempt of one pair of the grid to connect. */
export function attempt([connector, listener]: Cell, weather: Weather): Attempt {
  return meet(planOf(connector), planOf(listener), weather);
}

/** One attempt of a host behind some routers to reach one behind others. */
export function meet(connector: SitePlan, listener: SitePlan, weather: Weather): Attempt {
  const duo = new Duo({ connector, listener, ...weather });
  // A listener has asked before anybody came.
  duo.clock.later(() => duo.listener.feed({ type: "nat", nat: natOf(listener) }));
  const nat = natOf(connector);
  const verdictMs = nat.type === "udp-blocked" ? BLOCKED_VERDICT_MS : VERDICT_MS;
  duo.clock.later(() => duo.connector.feed({ type: "nat", nat }), (weather.skewMs ?? 0) + verdictMs);
  duo.connect(PATIENCE_MS);
  const { path, opened, host } = duo.connector;
  const found = { path, tries: opened / host.addresses.size, duo };
  if (path && duo.listener.path) return { ...found, outcome: "direct", why: undefined };
  if (!duo.sides.every(({ closed }) => closed)) return { ...found, outcome: "undecided", why: undefined };
  return { ...found, outcome: "none", why: whyOf(duo.sides.map(({ reason }) => reason)) };
}

/** Up to 20 % loss and a round trip of 300 ms, jitter included; a rendezvous that takes as long one way. */
export function drawWeather(random: Random): Weather {
  const [delayMs, jitterMs] = [random.unit() * 120, random.unit() * 30];
  const way = { delayMs, jitterMs, loss: random.unit() * 0.2, duplication: random.unit() * 0.1, reordering: random.unit() * 0.1 };
  return { seed: random.uint32(), signalMs: random.unit() * 300, skewMs: random.pick([0, 30, 500, 2_000]), way };
}

/** The real machine is held to this by prober.test.ts. */
function natOf({ layers }: SitePlan) {
  return { ...verdictOn(layers), confidence: "high" };
}

function whyOf(reasons: readonly (ReasonEvent | undefined)[]): Attempt["why"] {
  const codes = Object.keys(REASON_TEXTS) as NoPath[];
  return (
    codes.find((code) => reasons.every((reason) => reason?.path === "none" && REASON_TEXTS[code].test(reason.text))) ?? "something else"
  );
}
