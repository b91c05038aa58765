import type { NoPath } from "../grid.js";
import { NAT_KIND_NAMES, NAT_KINDS } from "./nat-kinds.js";
import { type CellResult, isExpected } from "./result.js";

/** One world's results. */
export interface WorldResult {
  readonly world: "kernel" | "simulator";
  /** How it was measured, in sentences. */
  readonly about: string;
  readonly cells: readonly CellResult[];
}

/** What a cell without a path says in the matrix. */
export const MARKS: Readonly<Record<NoPath, string>> = { "udp-blocked": "U", "one-symmetric": "S", "both-symmetric": "SS" };

/** docs/grid.md. */
export function report(worlds: readonly WorldResult[]): string {
  return `${[INTRODUCTION, ...worlds.map(section), simulatorOnly(), disagreements(worlds)].join("\n")}`;
}

const INTRODUCTION = `# The NAT grid

<!-- Written by \`npm run grid\`. -->

Who connects with whom, how fast, and if not, why. Rows connect (\`peer ping\`), columns listen (\`peer listen\`). The table that both
worlds are held to is [test/grid.ts](../test/grid.ts), what each kind of NAT does is in
[test/grid/nat-kinds.ts](../test/grid/nat-kinds.ts).

![The grid as a picture: green squares connect directly, grey ones cannot](grid.svg)

| a cell says | meaning |
| --- | --- |
| 14 / 22 | direct in every run: median and 95th percentile of the time from both sides' endpoints being known to an authenticated path, milliseconds |
| S | no direct path: one side is symmetric, its port cannot be known to the other, which filters by port |
| SS | no direct path: both sides are symmetric |
| U | no direct path: UDP is blocked |
| 7 of 10 | the runs that connected, where it was neither all nor none |

The rendezvous of this grid relays nothing (\`--no-relay\`): a pair without a direct path would be relayed otherwise. Nothing predicts ports
yet: whoever builds that makes cells of this table green, and tests red until the table says so.
`;

function section({ world, about, cells }: WorldResult): string {
  const kinds = NAT_KIND_NAMES.filter((kind) => cells.some(({ connector }) => connector === kind));
  const rows = kinds.map((row) => {
    const entries = kinds.map((column) => cells.find(({ connector, listener }) => connector === row && listener === column));
    return `| **${row}** | ${entries.map(entry).join(" | ")} |`;
  });
  const runs = cells.reduce((sum, { runs }) => sum + runs, 0);
  return `## ${world === "kernel" ? "In the kernel lab" : "In the simulator"}

${about} ${runs} runs; ${cells.filter(isExpected).length} of ${cells.length} cells are as the table says.

| from \\ to | ${kinds.join(" | ")} |
| --- |${" --- |".repeat(kinds.length)}
${rows.join("\n")}
`;
}

function entry(result: CellResult | undefined): string {
  if (!result) return "";
  const { outcome, successes, runs, reasons, medianMs, p95Ms } = result;
  if (outcome === "none") return reasons.map((reason) => (reason in MARKS ? MARKS[reason as NoPath] : reason)).join(", ");
  const share = outcome === "mixed" ? `${successes} of ${runs}: ` : "";
  return `${share}${round(medianMs)} / ${round(p95Ms)}`;
}

const round = (ms: number) => ms.toFixed(ms < 9.95 ? 1 : 0);

function simulatorOnly(): string {
  const only = NAT_KIND_NAMES.flatMap((kind) => {
    const { simulatorOnly: why } = NAT_KINDS[kind];
    return why === undefined ? [] : [`- ${kind}: ${why}.`];
  });
  return `## Kinds that only the simulator has\n\n${only.join("\n")}\n`;
}

function disagreements(worlds: readonly WorldResult[]): string {
  const wrong = worlds.flatMap(({ world, cells }) =>
    cells
      .filter((cell) => !isExpected(cell))
      .map(
        ({ connector, listener, successes, runs, reasons }) =>
          `- ${world}: ${connector} to ${listener}: ${[`${successes} of ${runs} direct`, ...reasons].join(", ")}`,
      ),
  );
  return `## Where a world disagrees with the table\n\n${wrong.length === 0 ? "Nowhere." : wrong.join("\n")}\n`;
}
