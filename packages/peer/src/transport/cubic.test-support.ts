import type { Link } from "./link.test-support.js";
import type { VirtualClock } from "./virtual-clock.test-support.js";

const SIZE = 1_452;
/** RFC 9438 section 4: C, in packets a second cubed, and the multiplicative decrease. */
const C = 0.4;
const BETA = 0.7;
const REORDERING = 3;
const TIMEOUT_MS = 1_000;

/** A bulk flow under CUBIC (RFC 9438), with selective acknowledgements and nothing else of TCP. */
export class CubicFlow {
  delivered = 0;
  readonly #clock: VirtualClock;
  readonly #there: Link;
  readonly #back: Link;
  readonly #flying = new Map<number, number>();
  #next = 0;
  #window = 10;
  #threshold = Number.POSITIVE_INFINITY;
  #windowMax = 0;
  #epochAt: number | undefined;
  #epochWindow = 0;
  /** Losses of packets before this one belong to a congestion event that was answered. */
  #recoverTo = 0;
  #smoothedRtt = 0;
  #heardAt = 0;

  constructor(clock: VirtualClock, there: Link, back: Link) {
    this.#clock = clock;
    this.#there = there;
    this.#back = back;
    this.#send();
    this.#watch();
  }

  #send(): void {
    while (this.#flying.size < this.#window) {
      const number = this.#next++;
      this.#flying.set(number, this.#clock.now);
      this.#there.send(SIZE, () => {
        this.delivered += SIZE;
        this.#back.send(60, () => this.#acked(number));
      });
    }
  }

  #acked(number: number): void {
    const sentAt = this.#flying.get(number);
    if (sentAt === undefined) return;
    this.#flying.delete(number);
    const { now } = this.#clock;
    this.#heardAt = now;
    this.#smoothedRtt = this.#smoothedRtt ? 0.875 * this.#smoothedRtt + 0.125 * (now - sentAt) : now - sentAt;
    for (const other of this.#flying.keys()) {
      if (other > number - REORDERING) break;
      this.#flying.delete(other);
      if (other >= this.#recoverTo) this.#reduce();
    }
    this.#grow();
    this.#send();
  }

  #reduce(): void {
    this.#recoverTo = this.#next;
    // Section 4.7, fast convergence.
    this.#windowMax = this.#window < this.#windowMax ? (this.#window * (1 + BETA)) / 2 : this.#window;
    this.#window = Math.max(2, this.#window * BETA);
    this.#threshold = this.#window;
    this.#epochAt = undefined;
  }

  #grow(): void {
    if (this.#window < this.#threshold) {
      this.#window += 1;
      return;
    }
    const { now } = this.#clock;
    if (this.#epochAt === undefined) {
      this.#epochAt = now;
      this.#epochWindow = this.#window;
    }
    const k = Math.cbrt(Math.max(0, this.#windowMax - this.#epochWindow) / C);
    const t = (now - this.#epochAt + this.#smoothedRtt) / 1_000;
    const cubic = C * (t - k) ** 3 + this.#windowMax;
    // Section 4.3, what Reno would have.
    const reno = this.#epochWindow + (((3 * (1 - BETA)) / (1 + BETA)) * (now - this.#epochAt)) / this.#smoothedRtt;
    const target = Math.min(1.5 * this.#window, Math.max(cubic, reno, this.#window));
    this.#window += (target - this.#window) / this.#window;
  }

  #watch(): void {
    this.#clock.at(this.#clock.now + TIMEOUT_MS, () => {
      if (this.#clock.now - this.#heardAt >= TIMEOUT_MS) {
        this.#flying.clear();
        this.#reduce();
        this.#window = 2;
        this.#send();
      }
      this.#watch();
    });
  }
}
