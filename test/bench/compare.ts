/** Two ways of doing the same work. */
export interface Contest {
  readonly name: string;
  readonly ours: () => unknown;
  readonly theirs: () => unknown;
}

export interface Verdict {
  readonly name: string;
  /** CPU nanoseconds for one piece of work, the median of all rounds. */
  readonly ours: number;
  readonly theirs: number;
  /** How many times as long theirs takes: the median of the rounds' own ratios. */
  readonly ratio: number;
}

/** A round of one side is long against the clock's step and short against what else the machine does. */
const ROUND_NS = 5e6;
const WARM_UP_NS = 150e6;

/**
 * Runs all contests round by round, each side in turn, and counts CPU time, not the clock's: what disturbs the machine
 * disturbs both sides of a round alike, so that the ratio stands even where the rates do not.
 */
export function compare(contests: readonly Contest[], rounds = 41): Verdict[] {
  const runners = contests.map(({ name, ours, theirs }) => ({ name, ours: runner(ours), theirs: runner(theirs) }));
  const times = runners.map(({ name }) => ({ name, ours: [] as number[], theirs: [] as number[], ratio: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [i, { ours, theirs }] of runners.entries()) {
      const [our, their] = [ours(), theirs()];
      times[i]?.ours.push(our);
      times[i]?.theirs.push(their);
      times[i]?.ratio.push(their / our);
    }
  }
  return times.map(({ name, ours, theirs, ratio }) => ({ name, ours: median(ours), theirs: median(theirs), ratio: median(ratio) }));
}

/** CPU nanoseconds for one piece of work, the median of `rounds`. */
export function measure(work: () => unknown, rounds = 41): number {
  const round = runner(work);
  return median(Array.from({ length: rounds }, round));
}

/** Warms the work up until V8 has optimised it; each call is then a round and returns the time of one piece of work. */
function runner(work: () => unknown): () => number {
  const end = process.hrtime.bigint() + BigInt(WARM_UP_NS);
  let perWork = 1;
  for (let count = 1; process.hrtime.bigint() < end; count = Math.min(2 * count, 10_000)) perWork = time(work, count) || perWork;
  const count = Math.max(1, Math.round(ROUND_NS / perWork));
  return () => time(work, count);
}

/** What was worked out last: were it dropped, V8 might leave out the work. */
export let outcome: unknown;

function time(work: () => unknown, count: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) outcome = work();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / count;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
