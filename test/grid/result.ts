import { type Cell, expectationOf } from "../grid.js";

/** What attempts to connect came to in one cell of one world. */
export interface CellResult {
  readonly cell: Cell;
  readonly runs: number;
  /** How often: `direct`, a reason of the grid's, or whatever else was seen. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** From both sides' candidates being known to an authenticated direct path, milliseconds, of each direct run, ascending. */
  readonly punchMs: readonly number[];
}

/** The attempts of one cell, added one by one. */
export class Tally implements CellResult {
  readonly cell: Cell;
  readonly outcomes = new Map<string, number>();
  readonly punchMs: number[] = [];
  runs = 0;

  constructor(cell: Cell) {
    this.cell = cell;
  }

  add(outcome: string, punchMs?: number): void {
    this.runs += 1;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    if (punchMs === undefined) return;
    this.punchMs.push(punchMs);
    this.punchMs.sort((a, b) => a - b);
  }
}

/** How many runs ended as the grid says. */
export function expectedRuns({ cell, outcomes }: CellResult): number {
  const expectation = expectationOf(cell);
  const wanted = [
    ...(expectation.outcome === "none" ? [] : ["direct"]),
    ...(expectation.outcome === "direct" ? [] : [expectation.reason as string]),
  ];
  return wanted.reduce((sum, outcome) => sum + (outcomes.get(outcome) ?? 0), 0);
}

/** Milliseconds; `undefined` where nothing was measured. */
export function quantile(share: number, ascending: readonly number[]): number | undefined {
  return ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))];
}
