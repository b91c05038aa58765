/**
 * Several independent tries of one test, each on a fresh socket. Two that agree decide; where they differ, two more
 * are called and the majority decides. A lost datagram, or a port that an earlier run had used, spoils one try and not two.
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

  /** The decision; `"disputed"` if four tries found no majority. */
  get verdict(): Vote | "disputed" | undefined {
    const votes = this.tests.map(this.#vote);
    if (votes.some((vote) => vote === undefined)) return undefined;
    const counts = new Map<Vote, number>();
    for (const vote of votes as Vote[]) counts.set(vote, (counts.get(vote) ?? 0) + 1);
    for (const [vote, count] of counts) if (count * 2 > votes.length) return vote;
    return this.#disputed ? "disputed" : undefined;
  }

  /** Whether the first two tries found different things. */
  get disputed(): boolean {
    return this.#disputed;
  }

  advance(now: number): void {
    for (const test of this.tests) test.advance(now);
    const ended = this.tests.every((test) => this.#vote(test) !== undefined);
    if (!ended || this.#disputed || this.verdict !== undefined) return;
    this.#disputed = true;
    this.tests.push(this.#summon(now), this.#summon(now));
  }
}
