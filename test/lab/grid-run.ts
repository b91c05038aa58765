import { KERNEL_KIND_NAMES } from "../grid/nat-kinds.js";
import { type Attempted, type CellResult, summarize } from "../grid/result.js";
import { CELLS, type Cell, expectationOf } from "../grid.js";
import { GridLab } from "./grid-lab.js";

/** The cells of the grid that the kernel has. */
export const KERNEL_CELLS: readonly Cell[] = CELLS.filter((cell) => cell.every((kind) => KERNEL_KIND_NAMES.includes(kind)));

const HOPELESS_RUNS = 2;

/** Runs them with the real programs. */
export async function runInKernel(runs: number, atOnce: number, progress: (done: number, of: number) => void): Promise<CellResult[]> {
  await using grid = await GridLab.create(KERNEL_KIND_NAMES);
  const results: CellResult[] = [];
  let next = 0;
  const work = async () => {
    for (let cell = KERNEL_CELLS[next++]; cell; cell = KERNEL_CELLS[next++]) {
      const attempts: Attempted[] = [];
      // One that fails takes its time, and is not the more certain to fail.
      const wanted = expectationOf(cell).outcome === "none" ? Math.min(runs, HOPELESS_RUNS) : runs;
      while (attempts.length < wanted) attempts.push(await attempt(grid, cell));
      results.push(summarize(cell, attempts));
      progress(results.length, KERNEL_CELLS.length);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

async function attempt(grid: GridLab, cell: Cell): Promise<Attempted> {
  const outcome = await grid.connect(cell);
  if (outcome.outcome === "direct") return { punchMs: outcome.path.punchMs ?? Number.NaN };
  return { why: outcome.outcome === "none" ? (outcome.reason ?? "something else") : "undecided" };
}
