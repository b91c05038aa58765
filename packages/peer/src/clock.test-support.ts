import { randomFrom } from "./random.test-support.js";

/** Virtual time, and the few things that happen in it. Whole networks are in test/sim. */
export class Clock {
  now = 0;
  readonly random: () => number;
  #queue: { at: number; order: number; run: () => void }[] = [];
  #order = 0;

  constructor(seed: number) {
    this.random = randomFrom(seed);
  }

  at(at: number, run: () => void): void {
    this.#queue.push({ at: Math.max(at, this.now), order: this.#order++, run });
  }

  later(run: () => void, ms = 0): void {
    this.at(this.now + ms, run);
  }

  /** `until`: ends it early. */
  runFor(ms: number, until = () => false): void {
    const end = this.now + ms;
    while (!until()) {
      this.#queue.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.#queue[0];
      if (!next || next.at > end) {
        this.now = end;
        return;
      }
      this.#queue.shift();
      this.now = next.at;
      next.run();
    }
  }
}
