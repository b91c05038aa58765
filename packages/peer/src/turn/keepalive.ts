/** Many NATs forget an idle mapping of UDP after 30 s, some after 20 s. */
const DEFAULT_MS = 14_000;
/** Keepalives are earlier than that by up to this share, so that many clients do not send in step. */
const JITTER = 0.1;

/** When to send something, because nothing else was sent. */
export class Keepalive {
  readonly #ms: number;
  readonly #random: () => number;
  #interval = 0;
  #sentAt = 0;
  /** Not moved with every datagram, but looked after when it has come. */
  #due = Number.POSITIVE_INFINITY;

  /** `random`: uniform in [0, 1). */
  constructor(random: () => number, ms = DEFAULT_MS) {
    this.#random = random;
    this.#ms = ms;
  }

  sent(now: number): void {
    this.#sentAt = now;
  }

  begin(now: number): void {
    this.#interval = this.#ms * (1 - JITTER * this.#random());
    this.#due = now + this.#interval;
  }

  /** Whether to send one now. */
  advance(now: number): boolean {
    if (now < this.#due) return false;
    const isQuiet = now >= this.#sentAt + this.#interval;
    if (isQuiet) this.begin(now);
    else this.#due = this.#sentAt + this.#interval;
    return isQuiet;
  }

  get deadline(): number {
    return this.#due;
  }
}
