/** After a pause so much may leave at once, bytes (RFC 9002 section 7.7: no more than the initial window). */
const MIN_BURST = 12_000;
/** The same in milliseconds of the rate: timers are late by so much. */
const BURST_MS = 2;
/** Packets leave together that belong within this time: a timer a packet would cost more than the packet. */
const QUANTUM_MS = 1;
const MIN_QUANTUM = 2_400;

/** Spreads packets over time: RFC 9002 section 7.7, as a bucket that may go below empty by one packet. */
export class Pacer {
  #tokens = MIN_BURST;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  /** Whether a packet may leave. `rate`: bytes a millisecond. */
  isReady(now: number, rate: number): boolean {
    this.#tokens = Math.min(Math.max(MIN_BURST, rate * BURST_MS), this.#tokens + (now - this.#at) * rate);
    this.#at = now;
    return this.#tokens > 0;
  }

  sent(bytes: number): void {
    this.#tokens -= bytes;
  }

  /** When the next few packets may leave. */
  readyAt(rate: number): number {
    if (this.#tokens > 0) return this.#at;
    return this.#at + (quantumOf(rate) - this.#tokens) / rate;
  }
}

/** What leaves together, bytes. */
export function quantumOf(rate: number): number {
  return Math.max(MIN_QUANTUM, rate * QUANTUM_MS);
}
