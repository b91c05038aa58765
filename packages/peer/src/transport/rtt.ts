/** RFC 9002 section 6.2.2: before anything is known. */
const INITIAL_RTT_MS = 333;
/** RFC 9002 section 6.1.2, kGranularity. */
export const GRANULARITY_MS = 1;

/** The round trip of one path: RFC 9002 section 5. */
export class RttEstimator {
  #smoothed: number;
  #variation: number;
  #min = Number.POSITIVE_INFINITY;
  #latest = Number.NaN;
  #firstSampleAt = Number.POSITIVE_INFINITY;

  /** `guessMs`: what somebody else measured. */
  constructor(guessMs: number = INITIAL_RTT_MS) {
    this.#smoothed = Math.max(guessMs, GRANULARITY_MS);
    this.#variation = this.#smoothed / 2;
  }

  /** `ackDelayMs`: what the peer says that it waited, already bounded by what it may. */
  sample(now: number, rttMs: number, ackDelayMs: number): void {
    this.#latest = rttMs;
    if (!this.hasSample) {
      this.#firstSampleAt = now;
      this.#min = this.#smoothed = rttMs;
      this.#variation = rttMs / 2;
      return;
    }
    this.#min = Math.min(this.#min, rttMs);
    const adjusted = rttMs - ackDelayMs >= this.#min ? rttMs - ackDelayMs : rttMs;
    this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - adjusted);
    this.#smoothed = 0.875 * this.#smoothed + 0.125 * adjusted;
  }

  get hasSample(): boolean {
    return this.#firstSampleAt < Number.POSITIVE_INFINITY;
  }

  get firstSampleAt(): number {
    return this.#firstSampleAt;
  }

  get smoothed(): number {
    return this.#smoothed;
  }

  /** The lowest ever on this path; infinity before the first sample. */
  get min(): number {
    return this.#min;
  }

  /** What loss is judged by: RFC 9002 section 6.1.2. */
  get recent(): number {
    return this.hasSample ? Math.max(this.#smoothed, this.#latest) : this.#smoothed;
  }

  /** How long an answer may take, without the peer's delay: RFC 9002 section 6.2.1. */
  get patience(): number {
    return this.#smoothed + Math.max(4 * this.#variation, GRANULARITY_MS);
  }
}
