/** More happens at no single moment. */
const MAX_STEPS = 10_000;

interface Happening {
  readonly at: number;
  /** What is said first happens first, at the same time. */
  readonly order: number;
  readonly run: () => void;
}

/** Virtual time, milliseconds, and everything that happens in it. */
export class Clock {
  now = 0;
  /** A binary heap, the earliest at its top. */
  readonly #heap: Happening[] = [];
  #order = 0;
  #steps = 0;

  later(run: () => void, ms = 0): void {
    this.at(this.now + ms, run);
  }

  /** At that very time: `now + (at - now)` may be a little earlier, and a machine asked too early asks again, for ever. */
  at(at: number, run: () => void): void {
    this.#push({ at, order: this.#order++, run });
  }

  /** Lets time pass, until `done` says so at the latest. */
  runFor(ms: number, done: () => boolean = () => false): void {
    const end = this.now + ms;
    while (!done()) {
      const next = this.#heap[0];
      if (next === undefined || next.at > end) {
        this.now = end;
        return;
      }
      this.#pop();
      this.#steps = next.at > this.now ? 0 : this.#steps + 1;
      if (this.#steps > MAX_STEPS) throw new Error(`time stands still at ${this.now}: a deadline spins`);
      this.now = Math.max(this.now, next.at);
      next.run();
    }
  }

  /** Happenings to come. */
  get size(): number {
    return this.#heap.length;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Happening;
      if (isBefore(parent, happening)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Happening;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Happening, heap[below] as Happening)) below += 1;
      if (isBefore(last, heap[below] as Happening)) break;
      heap[at] = heap[below] as Happening;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
