import type { Clock } from "./clock.js";

/** A machine's deadline, of which only the latest word counts. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at = Number.POSITIVE_INFINITY;
  /** When the clock will look: never later than the deadline. */
  #bookedAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Throws for a time that is past, which no machine may ask for. */
  set(at: number): void {
    if (at <= this.#clock.now) throw new Error(`a deadline in the past: ${at} at ${this.#clock.now}`);
    this.#at = at;
    if (at >= this.#bookedAt) return;
    this.#bookedAt = at;
    this.#clock.at(at, () => this.#look(at));
  }

  #look(bookedAt: number): void {
    if (bookedAt !== this.#bookedAt) return;
    this.#bookedAt = Number.POSITIVE_INFINITY;
    if (this.#at <= this.#clock.now) this.#ring();
    else if (this.#at < Number.POSITIVE_INFINITY) this.set(this.#at);
  }
}
