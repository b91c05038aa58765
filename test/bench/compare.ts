/** Two ways of doing the same work. */
export interface Contest {
  readonly name: string;
  readonly ours: () => unknown;
  readonly theirs: () => unknown;
}

export interface Verdict {
  readonly name: string;
  /** Nanoseconds for one piece of work, the median of all rounds. */
  readonly ours: number;
  readonly theirs: number;
}

/** A round of one side is long against the clock and short against what else the machine does. */
const ROUND_NS = 10e6;
const WARM_UP_NS = 150e6;

/**
 * Runs all contests round by round, each side in turn: what disturbs the machine for a second disturbs all alike,
 * so that the ratio stands even where the rates do not.
 */
export function compare(contests: readonly Contest[], rounds = 15): Verdict[] {
  const runners = contests.map(({ ours, theirs }) => [runner(ours), runner(theirs)] as const);
  for (let round = 0; round < rounds; round++) {
    for (const [ours, theirs] of runners) {
      ours.round();
      theirs.round();
    }
  }
  return contests.map(({ name }, i) => ({
    name,
    ours: runners[i]?.[0].median() ?? Number.NaN,
    theirs: runners[i]?.[1].median() ?? Number.NaN,
  }));
}

/** Nanoseconds for one piece of work, the median of `rounds`. */
export function measure(work: () => unknown, rounds = 15): number {
  const single = runner(work);
  for (let round = 0; round < rounds; round++) single.round();
  return single.median();
}

function runner(work: () => unknown): { round(): void; median(): number } {
  const perWork = warmUp(work);
  const count = Math.max(1, Math.round(ROUND_NS / perWork));
  const times: number[] = [];
  return {
    round: () => void times.push(time(work, count)),
    median: () => times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN,
  };
}

/** Until V8 has optimised it; returns what one piece of work then takes. */
function warmUp(work: () => unknown): number {
  const end = process.hrtime.bigint() + BigInt(WARM_UP_NS);
  let last = 1;
  for (let count = 1; process.hrtime.bigint() < end; count = Math.min(2 * count, 10_000)) last = time(work, count);
  return last;
}

/** What was worked out last: were it dropped, V8 might leave out the work. */
export let outcome: unknown;

function time(work: () => unknown, count: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) outcome = work();
  return Number(process.hrtime.bigint() - start) / count;
}
