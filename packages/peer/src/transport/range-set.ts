/** A set of integers as ascending, disjoint, half-open ranges that do not touch. */
export class RangeSet {
  /** start, end, start, end, … */
  readonly #edges: number[] = [];

  /** How many ranges it takes. */
  get size(): number {
    return this.#edges.length / 2;
  }

  get isEmpty(): boolean {
    return this.#edges.length === 0;
  }

  /** The lowest number; infinity if there is none. */
  get min(): number {
    return this.#edges[0] ?? Number.POSITIVE_INFINITY;
  }

  /** Behind the lowest range. */
  get firstEnd(): number {
    return this.#edges[1] ?? Number.NEGATIVE_INFINITY;
  }

  /** start, end, start, end, … ascending. A view. */
  get edges(): readonly number[] {
    return this.#edges;
  }

  has(value: number): boolean {
    const at = this.#firstEndAbove(value);
    return (this.#edges[at - 1] ?? Number.POSITIVE_INFINITY) <= value;
  }

  /** Adds `start` to `end - 1`. */
  add(start: number, end: number): void {
    if (start >= end) return;
    const edges = this.#edges;
    const lastEnd = edges[edges.length - 1] ?? Number.NEGATIVE_INFINITY;
    if (start > lastEnd) {
      edges.push(start, end);
      return;
    }
    // Touching ranges merge, so one that ends at `start` counts.
    const from = this.#firstEndAbove(start - 1) - 1;
    let to = from;
    let [low, high] = [start, end];
    for (; to < edges.length && (edges[to] ?? 0) <= end; to += 2) {
      low = Math.min(low, edges[to] ?? low);
      high = Math.max(high, edges[to + 1] ?? high);
    }
    if (to === from + 2) {
      edges[from] = low;
      edges[from + 1] = high;
    } else edges.splice(from, to - from, low, high);
  }

  /** Removes `start` to `end - 1`. */
  remove(start: number, end: number): void {
    const edges = this.#edges;
    if (start >= end || edges.length === 0) return;
    const from = this.#firstEndAbove(start) - 1;
    let to = from;
    const left: number[] = [];
    for (; to < edges.length && (edges[to] ?? 0) < end; to += 2) {
      const [low = 0, high = 0] = [edges[to], edges[to + 1]];
      if (low < start) left.push(low, start);
      if (high > end) left.push(end, high);
    }
    if (to > from) edges.splice(from, to - from, ...left);
  }

  /** Removes the lowest range. */
  shift(): void {
    this.#edges.splice(0, 2);
  }

  /** The parts of `start` to `end - 1` that are not in it: start, end, start, end, … */
  missing(start: number, end: number): number[] {
    const edges = this.#edges;
    const missing: number[] = [];
    let at = start;
    for (let i = this.#firstEndAbove(start) - 1; i < edges.length && at < end; i += 2) {
      const [low = 0, high = 0] = [edges[i], edges[i + 1]];
      if (low > at) missing.push(at, Math.min(low, end));
      at = Math.max(at, high);
    }
    if (at < end) missing.push(at, end);
    return missing;
  }

  clear(): void {
    this.#edges.length = 0;
  }

  /** The index of the first end that is above the value; were there another range, of its end. */
  #firstEndAbove(value: number): number {
    const edges = this.#edges;
    let [low, high] = [0, edges.length / 2];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((edges[2 * middle + 1] ?? 0) > value) high = middle;
      else low = middle + 1;
    }
    return 2 * low + 1;
  }
}
