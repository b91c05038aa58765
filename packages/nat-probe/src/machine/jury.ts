/** Tries that are added where the first two differ. */
const MORE_TRIES = 4;

/**
 * Several independent tries of one test, each on a fresh socket. Two that agree decide; where they differ, four more are called and the
 * majority decides. A lost datagram, or a port on which an earlier run has left its traces, spoils one try and not five.
 */
export class Jury<Test extends { advance(now: number): void }, Vote extends string> {
  readonly tests: Test[] = [];
  readonly #vote: (test: Test) => Vote | undefined;
  readonly #summon: (now: number) => Test;
  #disputed = false;

  /** `summon`: begins another try. `vote`: what a try found, once it has ended. */
  constructor(now: number, summon: (now: number) => Test, vote: (test: Test) => Vote | undefined) {
    this.#summon = summon;
    this.#vote = vote;
    this.tests.push(summon(now), summon(now));
  }

  /** The decision; `"disputed"` if there is no majority for any. */
  get verdict(): Vote | "disputed" | undefined {
    const votes = this.tests.map(this.#vote);
    if (votes.some((vote) => vote === undefined)) return undefined;
    const counts = new Map<Vote, number>();
    for (const vote of votes as Vote[]) counts.set(vote, (counts.get(vote) ?? 0) + 1);
    for (const [vote, count] of counts) if (count * 2 > votes.length) return vote;
    return this.#disputed ? "disputed" : undefined;
  }

  /** Whether more than one try contradicts the decision: one may be an accident, two are the NAT's doing. */
  get split(): boolean {
    const { verdict } = this;
    return this.#disputed && verdict !== undefined && this.tests.filter((test) => this.#vote(test) !== verdict).length > 1;
  }

  advance(now: number): void {
    for (const test of this.tests) test.advance(now);
    const ended = this.tests.every((test) => this.#vote(test) !== undefined);
    if (!ended || this.#disputed || this.verdict !== undefined) return;
    this.#disputed = true;
    for (let i = 0; i < MORE_TRIES; i++) this.tests.push(this.#summon(now));
  }
}
