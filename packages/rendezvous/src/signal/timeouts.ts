/**
 * The deadlines of many things which all have the same time: the first to be set is the first to be due,
 * so that neither setting one nor finding the next one is a search.
 */
export class Timeouts<T> {
  readonly #duration: number;
  readonly #deadlines = new Map<T, number>();

  /** `duration`: milliseconds. */
  constructor(duration: number) {
    this.#duration = duration;
  }

  /** Starts the time of `thing` (anew); returns its deadline. */
  start(now: number, thing: T): number {
    const deadline = now + this.#duration;
    this.#deadlines.delete(thing);
    this.#deadlines.set(thing, deadline);
    return deadline;
  }

  stop(thing: T): void {
    this.#deadlines.delete(thing);
  }

  /** Takes out what is due. */
  due(now: number): T[] {
    const due: T[] = [];
    for (const [thing, deadline] of this.#deadlines) {
      if (deadline > now) break;
      due.push(thing);
    }
    for (const thing of due) this.#deadlines.delete(thing);
    return due;
  }

  /** The next deadline; infinity if there is none. */
  get next(): number {
    for (const deadline of this.#deadlines.values()) return deadline;
    return Number.POSITIVE_INFINITY;
  }

  get size(): number {
    return this.#deadlines.size;
  }
}
