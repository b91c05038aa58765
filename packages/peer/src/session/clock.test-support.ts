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

  later(run: () => void, ms: number): void {
    this.#queue.push({ at: this.now + ms, order: this.#order++, run });
  }

  runFor(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      this.#queue.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.#queue[0];
      if (!next || next.at > end) break;
      this.#queue.shift();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }
}
