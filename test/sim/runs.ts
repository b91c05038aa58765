import type { NatKindName } from "../grid/nat-kinds.js";
import { type Attempted, type CellResult, summarize } from "../grid/result.js";
import { CELLS } from "../grid.js";
import { attempt } from "./attempt.js";
import { inParallel } from "./parallel.js";

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
  const attempts = Array.from({ length: runs }, (_, seed): Attempted => {
    const { outcome, path, why = "undecided" } = attempt([connector, listener], { seed });
    return outcome === "direct" && path ? { punchMs: path.punchMs ?? Number.NaN } : { why };
  });
  return summarize([connector, listener], attempts);
}
