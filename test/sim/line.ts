import type { Clock } from "./clock.js";
import type { Random } from "./random.js";

/** What a line does to packets, each way. */
export interface LineConditions {
  /** Milliseconds. */
  readonly delayMs: number;
  /** Up to so much more, never so that packets overtake each other. */
  readonly jitterMs: number;
  /** Chances, from 0 to 1: that a packet is lost; that it comes twice; that others overtake it. */
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
}

export const PERFECT: LineConditions = { delayMs: 0, jitterMs: 0, loss: 0, duplication: 0, reordering: 0 };

/** How long a packet that others overtake is held up. */
const HOLD_UP_MS = 30;

/** One direction of a line. */
export class Line {
  conditions: LineConditions;
  readonly #clock: Clock;
  readonly #random: Random;
  /** When the latest packet that keeps its place arrives. */
  #arrival = 0;

  constructor(clock: Clock, random: Random, conditions: LineConditions) {
    this.#clock = clock;
    this.#random = random;
    this.conditions = conditions;
  }

  /** `arrive` is called at the other end: once, twice, or never. */
  carry(arrive: () => void): void {
    const { loss, duplication } = this.conditions;
    if (this.#random.happens(loss)) return;
    this.#clock.at(this.#draw(), arrive);
    if (this.#random.happens(duplication)) this.#clock.at(this.#draw(), arrive);
  }

  #draw(): number {
    const { delayMs, jitterMs, reordering } = this.conditions;
    const jitter = jitterMs > 0 ? this.#random.unit() * jitterMs : 0;
    const at = this.#clock.now + delayMs + jitter;
    if (this.#random.happens(reordering)) return at + HOLD_UP_MS;
    this.#arrival = Math.max(this.#arrival, at);
    return this.#arrival;
  }
}
