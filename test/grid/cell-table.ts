import { table } from "../table.js";
import { type CellResult, isExpected } from "./result.js";

/** Results, a line a cell, and which of them are not as the grid says. */
export function cellTable(results: readonly CellResult[]): string {
  const rows = results.map(({ connector, listener, outcome, successes, runs, reasons, medianMs, p95Ms }) => [
    `${connector} > ${listener}`,
    outcome,
    `${successes}/${runs}`,
    milliseconds(medianMs),
    milliseconds(p95Ms),
    reasons.join(", "),
  ]);
  const wrong = results.filter((result) => !isExpected(result)).map(({ connector, listener }) => `${connector} > ${listener}`);
  return [
    table([["connector > listener", "outcome", "direct", "median ms", "p95 ms", "reason"], ...rows]),
    "",
    wrong.length === 0 ? "every cell is as test/grid.ts says" : `not as test/grid.ts says: ${wrong.join("; ")}`,
  ].join("\n");
}

const milliseconds = (ms: number) => (Number.isNaN(ms) ? "" : ms.toFixed(0));
