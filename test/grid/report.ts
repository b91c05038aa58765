import type { Cell, NoPath } from "../grid.js";
import { NAT_KIND_NAMES, NAT_KINDS, type NatKindName } from "./nat-kinds.js";
import { type CellResult, expectedRuns, quantile } from "./result.js";

/** One world's results. */
export interface WorldResult {
  readonly world: "kernel" | "simulator";
  /** How it was measured, in a sentence. */
  readonly about: string;
  readonly cells: readonly CellResult[];
}

/** What a cell without a path says in the matrix. */
export const MARKS: Readonly<Record<NoPath, string>> = { "udp-blocked": "U", "one-symmetric": "S", "both-symmetric": "SS" };

/** docs/grid.md. */
export function report(worlds: readonly WorldResult[]): string {
  return `${INTRODUCTION}\n${worlds.map(section).join("\n")}\n${simulatorOnly()}\n${disagreements(worlds)}`;
}

const INTRODUCTION = `# The NAT grid

<!-- Written by \`npm run grid\`. -->

Who connects with whom, how fast, and if not, why. Rows connect (\`peer ping\`), columns listen (\`peer listen\`). The table that both
worlds are held to is [test/grid.ts](../test/grid.ts), what each kind of NAT does is in [test/grid/nat-kinds.ts](../test/grid/nat-kinds.ts).

<picture><img alt="The grid as a picture: green connects directly, grey cannot" src="grid.svg"></picture>

| cell | meaning |
| --- | --- |
| 14 / 22 | direct in every run: median and 95th percentile of the time from both sides' endpoints being known to an authenticated path, ms |
| S | no direct path: one side is symmetric, its port cannot be known |
| SS | no direct path: both sides are |
| U | no direct path: UDP is blocked |
| 7 of 10 | runs that ended as the table says, where it was not all of them |

Nothing predicts ports and nothing relays yet: whoever builds that makes cells of this table green, and tests red until the table says so.
`;

function section({ world, about, cells }: WorldResult): string {
  const kinds = NAT_KIND_NAMES.filter((kind) => cells.some(({ cell }) => cell.includes(kind)));
  const of = (cell: Cell) => cells.find((result) => result.cell[0] === cell[0] && result.cell[1] === cell[1]);
  const rows = kinds.map((row) => `| **${row}** | ${kinds.map((column) => entry(of([row, column]))).join(" | ")} |`);
  const runs = cells.reduce((sum, { runs }) => sum + runs, 0);
  const right = cells.reduce((sum, result) => sum + expectedRuns(result), 0);
  return `## ${world === "kernel" ? "In the kernel lab" : "In the simulator"}

${about} ${right} of ${runs} runs in ${cells.length} cells ended as the table says.

| from \\ to | ${kinds.join(" | ")} |
| --- |${" --- |".repeat(kinds.length)}
${rows.join("\n")}
`;
}

function entry(result: CellResult | undefined): string {
  if (!result) return "";
  const { runs, outcomes, punchMs } = result;
  const expected = expectedRuns(result);
  const [outcome] = [...outcomes].sort(([, a], [, b]) => b - a)[0] ?? [];
  const text = outcome === "direct" ? timing(punchMs) : (MARKS[outcome as NoPath] ?? outcome ?? "");
  return expected === runs ? text : `${text} ${expected} of ${runs}`;
}

const timing = (punchMs: readonly number[]) => `${round(quantile(0.5, punchMs))} / ${round(quantile(0.95, punchMs))}`;
const round = (ms: number | undefined) => (ms === undefined ? "-" : ms.toFixed(ms < 9.95 ? 1 : 0));

function simulatorOnly(): string {
  const only = NAT_KIND_NAMES.flatMap((kind: NatKindName) => {
    const { simulatorOnly: why } = NAT_KINDS[kind];
    return why === undefined ? [] : [`- ${kind}: ${why}.`];
  });
  return `## Kinds that only the simulator has\n\n${only.join("\n")}\n`;
}

function disagreements(worlds: readonly WorldResult[]): string {
  const wrong = worlds.flatMap(({ world, cells }) =>
    cells
      .filter((result) => expectedRuns(result) < result.runs)
      .map(
        ({ cell, outcomes }) => `- ${world}: ${cell.join(" to ")}: ${[...outcomes].map(([what, count]) => `${count} ${what}`).join(", ")}`,
      ),
  );
  return `## Where a world disagrees with the table\n\n${wrong.length === 0 ? "Nowhere." : wrong.join("\n")}\n`;
}
