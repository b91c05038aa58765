import type { Clock } from "./clock.js";

/** A machine's deadline, of which only the latest word counts. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at = Number.POSITIVE_INFINITY;
  /** When the clock will look, the earliest last. */
  readonly #booked: number[] = [];

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Throws for a time that is past, which no machine may ask for. */
  set(at: number): void {
    if (at <= this.#clock.now) throw new Error(`a deadline in the past: ${at} at ${this.#clock.now}`);
    this.#at = at;
    this.#book();
  }

  #book(): void {
    if (this.#at >= (this.#booked.at(-1) ?? Number.POSITIVE_INFINITY)) return;
    this.#booked.push(this.#at);
    this.#clock.at(this.#at, () => this.#look());
  }

  #look(): void {
    this.#booked.pop();
    if (this.#at > this.#clock.now) return this.#book();
    this.#at = Number.POSITIVE_INFINITY;
    this.#ring();
  }
}
