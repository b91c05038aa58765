/** Allows so many things at once, and one more each time that an interval has passed. */
export class Budget {
  readonly #capacity: number;
  readonly #refillMs: number;
  #left: number;
  /** When the last refill was counted. */
  #filledAt = Number.NEGATIVE_INFINITY;

  constructor(capacity: number, refillMs: number) {
    this.#capacity = capacity;
    this.#refillMs = refillMs;
    this.#left = capacity;
  }

  /** Whether there is one; it is then gone. */
  take(now: number): boolean {
    const refills = Math.floor((now - this.#filledAt) / this.#refillMs);
    this.#left = Math.min(this.#capacity, this.#left + refills);
    this.#filledAt = this.#left === this.#capacity ? now : this.#filledAt + refills * this.#refillMs;
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }

  /** When there is one, if there was none the last time. */
  get nextAt(): number {
    return this.#filledAt + this.#refillMs;
  }
}
