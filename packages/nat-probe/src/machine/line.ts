/** RFC 8489 section 6.2.1 asks for 500 ms where nothing is known; a prober that has seen one answer knows better. */
const MIN_RTO_MS = 50;
const MAX_RTO_MS = 1_000;

/** Sends before a silence means anything, and the most that are spent on one, whatever the loss. */
const MIN_SENDS = 4;
const MAX_SENDS = 10;

/** A silence is believed when loss explains it with less than this chance. */
const DISBELIEF = 1e-5;

/**
 * What the exchanges so far say of the line to the servers: its round trip (RFC 6298) and its loss.
 * From both follows how often and for how long a question must be asked before no answer is an answer.
 */
export class Line {
  #smoothed: number | undefined;
  #variation = 0;
  /** Whether the only sample so far is one that Karn's rule forbids: too long, but better than nothing. */
  #provisional = true;
  #attempts = 0;
  #lost = 0;

  /** An exchange was answered after so many sends, `elapsedMs` after the first of them. */
  answered(sends: number, elapsedMs: number): void {
    this.#attempts += sends;
    this.#lost += sends - 1;
    // Karn: after a retransmission nobody knows which send was answered.
    const ambiguous = sends > 1;
    if (ambiguous && this.#smoothed !== undefined) return;
    this.#sample(elapsedMs);
    this.#provisional = ambiguous;
  }

  /** Another answer to the same exchange: what was thought lost was only late. */
  answeredAgain(): void {
    if (this.#lost > 0) this.#lost -= 1;
  }

  /** Retransmission timeout, milliseconds. */
  get rtoMs(): number {
    const rto = (this.#smoothed ?? MAX_RTO_MS) + 4 * this.#variation;
    return Math.min(MAX_RTO_MS, Math.max(MIN_RTO_MS, rto));
  }

  /** The chance that one question stays unanswered though both sides are willing; never quite 0. */
  get loss(): number {
    return (this.#lost + 0.5) / (this.#attempts + 1);
  }

  /** How many unanswered sends it takes until loss is no explanation any more. */
  get sendsToBelieve(): number {
    const needed = Math.ceil(Math.log(DISBELIEF) / Math.log(this.loss));
    return Math.min(MAX_SENDS, Math.max(MIN_SENDS, needed));
  }

  /** Whether even the most sends would leave loss as an explanation: verdicts that rest on silence have low confidence. */
  get tooLossy(): boolean {
    return this.loss ** MAX_SENDS > DISBELIEF;
  }

  #sample(elapsedMs: number): void {
    if (this.#smoothed === undefined || this.#provisional) {
      this.#smoothed = elapsedMs;
      this.#variation = elapsedMs / 2;
      return;
    }
    this.#variation += (Math.abs(elapsedMs - this.#smoothed) - this.#variation) / 4;
    this.#smoothed += (elapsedMs - this.#smoothed) / 8;
  }
}
