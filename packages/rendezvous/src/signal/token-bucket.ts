/** A rate with a burst. Starts full. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  /** `now`: milliseconds of a monotonic clock. */
  constructor(now: number, burst: number) {
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes `count` tokens; `false`, and none taken, if there are fewer. `rate`: tokens a second. */
  take(now: number, count: number, rate: number, burst: number): boolean {
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#tokens = Math.min(burst, this.#tokens + (elapsed * rate) / 1000);
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}
