import type { NatKindName } from "../grid/nat-kinds.js";
import { quantile } from "../grid/statistics.js";
import { CELLS, type NoPath } from "../grid.js";
import { attempt } from "./attempt.js";
import { inParallel } from "./parallel.js";

/** What came of one cell of the grid in the simulator. */
export interface CellResult {
  readonly connector: NatKindName;
  readonly listener: NatKindName;
  /** `mixed`: some of the runs connected. */
  readonly outcome: "direct" | "none" | "mixed";
  readonly successes: number;
  readonly runs: number;
  /** What those said that did not connect; `undecided`: they said nothing at all. */
  readonly reasons: readonly (NoPath | "something else" | "undecided")[];
  /** From both sides' candidates being known to a direct path, milliseconds; NaN where there was none. */
  readonly medianMs: number;
  readonly p95Ms: number;
}

interface CellJob {
  readonly connector: NatKindName;
  readonly listener: NatKindName;
  readonly runs: number;
}

/**
 * Every cell so many times, from seed 0 on, on all processors. Lines of 5 ms each way between the two and 8 ms over the rendezvous, without loss.
 * Of the built test sources only: workers load JavaScript.
 */
export function runGrid(runs: number): Promise<CellResult[]> {
  return inParallel(
    "cell",
    CELLS.map(([connector, listener]) => ({ connector, listener, runs })),
  );
}

export function runCell({ connector, listener, runs }: CellJob): CellResult {
  const punchMs: number[] = [];
  const reasons = new Set<CellResult["reasons"][number]>();
  for (let seed = 0; seed < runs; seed++) {
    const { outcome, path, why } = attempt([connector, listener], { seed });
    if (outcome === "direct" && path) punchMs.push(path.punchMs);
    else reasons.add(why ?? "undecided");
  }
  const successes = punchMs.length;
  const outcome = successes === runs ? "direct" : successes === 0 ? "none" : "mixed";
  return {
    connector,
    listener,
    outcome,
    successes,
    runs,
    reasons: [...reasons],
    medianMs: quantile(0.5, punchMs),
    p95Ms: quantile(0.95, punchMs),
  };
}
