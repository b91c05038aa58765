import { KERNEL_KIND_NAMES } from "../grid/nat-kinds.js";
import { type CellResult, Tally } from "../grid/result.js";
import { CELLS } from "../grid.js";
import { GridLab } from "./grid-lab.js";

/** Runs the kernel's part of the grid with the real programs, every other time with the connector there first. */
export async function runInKernel(runs: number, atOnce: number, progress: (done: number, of: number) => void): Promise<CellResult[]> {
  await using grid = await GridLab.create(KERNEL_KIND_NAMES);
  const tallies = CELLS.filter((cell) => cell.every((kind) => KERNEL_KIND_NAMES.includes(kind))).map((cell) => new Tally(cell));
  let next = 0;
  let done = 0;
  const work = async () => {
    for (let tally = tallies[next++]; tally; tally = tallies[next++]) {
      while (tally.runs < runs) {
        const outcome = await grid.connect(tally.cell, tally.runs % 2 === 0 ? "listener" : "connector");
        if (outcome.outcome === "direct") tally.add("direct", outcome.path.punchMs ?? undefined);
        else tally.add(outcome.outcome === "none" ? (outcome.reason ?? outcome.text) : "broken");
      }
      progress(++done, tallies.length);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return tallies;
}
