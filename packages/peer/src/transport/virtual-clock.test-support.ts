interface Happening {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** More happens at no single moment. */
const MAX_STEPS = 100_000;

/** Virtual time, fast enough for millions of packets. */
export class VirtualClock {
  now = 0;
  readonly #heap: Happening[] = [];
  #order = 0;
  #steps = 0;

  at(at: number, run: () => void): void {
    const one = { at: Math.max(at, this.now), order: this.#order++, run };
    const heap = this.#heap;
    let place = heap.length;
    for (; place > 0; ) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (!parent || isBefore(parent, one)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = one;
  }

  /** Lets time pass until that moment, or until `done` says so. */
  runUntil(end: number, done: () => boolean = () => false): void {
    for (let next = this.#heap[0]; next && next.at <= end && !done(); next = this.#heap[0]) {
      this.#steps = next.at > this.now ? 0 : this.#steps + 1;
      if (this.#steps > MAX_STEPS) throw new Error(`time stands still at ${this.now}: a deadline spins`);
      this.now = next.at;
      this.#shift();
      next.run();
    }
    if (!done()) this.now = end;
  }

  #shift(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      let child = heap[below];
      const right = heap[below + 1];
      if (child && right && isBefore(right, child)) {
        below += 1;
        child = right;
      }
      if (!child || isBefore(last, child)) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
