/** A server may grant days; an hour is what its nonces are recommended to live. */
const MAX_MS = 3_600_000;
/** The shortest time between refreshes, whatever the server grants. */
const MIN_WAIT_MS = 1_000;
/** After a refresh that failed: the network or the server may be back soon, and there is time left. */
const RETRY_MS = 10_000;

/** How long the server keeps the allocation, and when to ask for more. RFC 8656 section 8. */
export class Lease {
  readonly #random: () => number;
  #ends = 0;
  #due = 0;
  #failure = "";

  /** `random`: uniform in [0, 1). */
  constructor(now: number, ms: number, random: () => number) {
    this.#random = random;
    this.#begin(now, ms);
  }

  /** A refresh is on its way. */
  begun(): void {
    this.#due = Number.POSITIVE_INFINITY;
  }

  /** `seconds`: as the answer says, or as before. */
  renewed(now: number, seconds: number | undefined): void {
    this.#begin(now, (seconds ?? 600) * 1_000);
  }

  failed(now: number, why: string): void {
    this.#failure = why;
    this.#due = now + RETRY_MS;
  }

  isDue(now: number): boolean {
    return now >= this.#due;
  }

  isOver(now: number): boolean {
    return now >= this.#ends;
  }

  get whyOver(): string {
    return `The allocation could not be refreshed. ${this.#failure}`.trimEnd();
  }

  get deadline(): number {
    return Math.min(this.#due, this.#ends);
  }

  /** With a quarter of the time left there is some for retries, and for a network that is away for a minute or two. */
  #begin(now: number, ms: number): void {
    const length = Math.min(MAX_MS, ms);
    this.#ends = now + length;
    this.#due = now + Math.max(MIN_WAIT_MS, length * (0.7 + 0.1 * this.#random()));
  }
}
