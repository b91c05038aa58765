import { expectationOf } from "../grid.js";
import { type CellResult, runGrid } from "../sim/runs.js";
import { table } from "../table.js";

/** The grid as the simulator finds it, a line a cell, and what of it is not as the table says. */
export async function simulatorReport(runs: number): Promise<string> {
  const startedAt = performance.now();
  const results = await runGrid(runs);
  const seconds = (performance.now() - startedAt) / 1_000;
  const rows = results.map(({ connector, listener, outcome, successes, reasons, medianMs, p95Ms }) => [
    `${connector} > ${listener}`,
    outcome,
    `${successes}/${runs}`,
    milliseconds(medianMs),
    milliseconds(p95Ms),
    reasons.join(", "),
  ]);
  const attempts = results.length * runs;
  const wrong = results.filter((result) => !isExpected(result)).map(({ connector, listener }) => `${connector} > ${listener}`);
  return [
    table([["connector > listener", "outcome", "direct", "median ms", "p95 ms", "reason"], ...rows]),
    "",
    `${attempts} attempts in ${seconds.toFixed(1)} s: ${Math.round((60 * attempts) / seconds)} a minute`,
    wrong.length === 0 ? "every cell is as test/grid.ts says" : `not as test/grid.ts says: ${wrong.join("; ")}`,
  ].join("\n");
}

function isExpected({ connector, listener, outcome, reasons }: CellResult): boolean {
  const expected = expectationOf([connector, listener]);
  if (expected.outcome === "direct") return outcome === "direct";
  const isStated = reasons.every((reason) => reason === expected.reason);
  return isStated && (expected.outcome === "luck" || outcome === "none");
}

const milliseconds = (ms: number) => (Number.isNaN(ms) ? "" : ms.toFixed(0));
