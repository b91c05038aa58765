/** Before anything is known of the way: most ways to a relay are shorter, and one of ours waits for nothing more than that. */
const INITIAL_MS = 150;
/** A server that thinks for a moment must not be asked twice for it. */
const MIN_MS = 100;
const MAX_MS = 3_000;

/**
 * The retransmission timeout, learnt from the answers as RFC 6298 says, in milliseconds.
 *
 * RFC 8489 section 6.2.1 begins with 500 ms for agents who know nothing of their network. Here somebody waits for a first path, data
 * is to flow within two round trips, and a request sent once too often costs a datagram: 150 ms, doubled with each repetition.
 */
export class RetransmissionTimeout {
  #smoothed: number | undefined;
  #variation = 0;

  /** `rttMs`: of a request that was sent once, for otherwise nobody knows which one was answered (Karn). */
  measured(rttMs: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = rttMs;
      this.#variation = rttMs / 2;
      return;
    }
    this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - rttMs);
    this.#smoothed = 0.875 * this.#smoothed + 0.125 * rttMs;
  }

  get ms(): number {
    if (this.#smoothed === undefined) return INITIAL_MS;
    return Math.min(MAX_MS, Math.max(MIN_MS, this.#smoothed + 4 * this.#variation));
  }
}
