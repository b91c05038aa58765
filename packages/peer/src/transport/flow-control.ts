/** What remains of a window when it is opened again, as a share of it: early, so that the sender does not come to a stand. */
const RAISE_AT = 0.75;

/** How far a peer may send: RFC 9000 section 4.1. The limit is raised when the application has read, never otherwise. */
export class ReceiveWindow {
  readonly #full: number;
  #limit: number;
  /** The window as it was when the limit was set. */
  #span: number;
  #consumed = 0;

  /** `initial`: what both sides know without being told. `full`: the window from the first raise on. */
  constructor(initial: number, full: number) {
    this.#full = Math.max(initial, full);
    this.#limit = initial;
    this.#span = initial;
  }

  /** Bytes that the peer may send in all. */
  get limit(): number {
    return this.#limit;
  }

  /** The application took these bytes. @returns whether there is a new limit to tell the peer */
  consume(bytes: number): boolean {
    this.#consumed += bytes;
    if (this.#limit - this.#consumed > this.#span * RAISE_AT) return false;
    this.#span = this.#full;
    this.#limit = this.#consumed + this.#full;
    return true;
  }
}

/** How far we may send on all streams together. */
export class SendCredit {
  #limit: number;
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get left(): number {
    return this.#limit - this.#used;
  }

  use(bytes: number): void {
    this.#used += bytes;
  }

  /** A limit that is no higher changes nothing. */
  raise(limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
  }
}
