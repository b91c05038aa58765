import { type Cell, expectationOf, type NoPath } from "../grid.js";
import type { NatKindName } from "./nat-kinds.js";
import { quantile } from "./statistics.js";

/** What came of one attempt: milliseconds to punch, or why there is no path. */
export type Attempted = { readonly punchMs: number } | { readonly why: NoPath | "something else" | "undecided" };

/** What came of one cell of the grid in one world. */
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

export function summarize([connector, listener]: Cell, attempts: readonly Attempted[]): CellResult {
  const punchMs = attempts.flatMap((attempt) => ("punchMs" in attempt ? attempt.punchMs : []));
  const reasons = new Set(attempts.flatMap((attempt) => ("why" in attempt ? attempt.why : [])));
  const [successes, runs] = [punchMs.length, attempts.length];
  return {
    connector,
    listener,
    outcome: successes === runs ? "direct" : successes === 0 ? "none" : "mixed",
    successes,
    runs,
    reasons: [...reasons],
    medianMs: quantile(0.5, punchMs),
    p95Ms: quantile(0.95, punchMs),
  };
}

/** Whether it is as the grid says. */
export function isExpected({ connector, listener, outcome, reasons }: CellResult): boolean {
  const expected = expectationOf([connector, listener]);
  if (expected.outcome === "direct") return outcome === "direct";
  const isStated = reasons.every((reason) => reason === expected.reason);
  return isStated && (expected.outcome === "luck" || outcome === "none");
}
