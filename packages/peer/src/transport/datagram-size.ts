import type { PathInfo } from "./transport-io.js";

/** What every path must carry, bytes of UDP payload (RFC 9000 section 14). */
const FLOOR = 1_200;
/** No packet is longer, whatever the path carries. */
export const MAX_PACKET = 16_384;
/** What sealing adds to a packet. */
const SEALED_OVERHEAD = 24;
/** Ethernet, over IPv6. */
const DEFAULT_MAX = 1_452;
/** WireGuard over Ethernet, Ethernet over IPv6, Ethernet over IPv4: what paths carry in practice. */
const STEPS = [1_392, 1_452, 1_472];
/** RFC 8899 section 5.1.1, PMTU_RAISE_TIMER. */
const RAISE_MS = 600_000;
/** So many long packets lost in a row, over so long, and none delivered: the path carries them no more (RFC 8899 section 4.3). */
const BLACK_HOLE = 10;
const BLACK_HOLE_MS = 300;

/**
 * How long packets may be on one path: RFC 8899, from the floor upwards, with probes that carry nothing else.
 *
 * Each size is tried once in a search, not MAX_PROBES times: a router's ICMP answer to a first probe would have our own kernel fragment
 * the second, which Node cannot forbid, and the fragments would arrive.
 */
export class DatagramSize {
  readonly #overhead: number;
  readonly #steps: readonly number[];
  #size = FLOOR;
  /** The index of the step to try next. */
  #next = 0;
  #searchAt = 0;
  #isProbing = false;
  #lostInRow = 0;
  #lostSince = 0;

  constructor({ overhead = SEALED_OVERHEAD, maxDatagram = DEFAULT_MAX }: PathInfo = {}) {
    const max = Math.min(maxDatagram, MAX_PACKET + overhead);
    this.#overhead = overhead;
    this.#steps = [...new Set([...STEPS, max])].filter((size) => size > FLOOR && size <= max);
  }

  /** The longest UDP payload. */
  get datagram(): number {
    return this.#size;
  }

  /** The longest packet. */
  get packet(): number {
    return this.#size - this.#overhead;
  }

  /** The longest packet that every path carries. */
  get floor(): number {
    return FLOOR - this.#overhead;
  }

  /** A packet of this length is to be sent as a probe; `undefined`: none is. */
  probe(now: number): number | undefined {
    const size = this.#steps[this.#next];
    if (size === undefined || this.#isProbing || now < this.#searchAt) return undefined;
    return size - this.#overhead;
  }

  probeSent(): void {
    this.#isProbing = true;
  }

  delivered(packet: number, isProbe: boolean): void {
    const size = packet + this.#overhead;
    if (size > FLOOR) this.#lostInRow = 0;
    if (!isProbe) return;
    this.#isProbing = false;
    this.#size = Math.max(this.#size, size);
    while ((this.#steps[this.#next] ?? Number.POSITIVE_INFINITY) <= this.#size) this.#next += 1;
  }

  lost(now: number, packet: number, isProbe: boolean): void {
    if (isProbe) {
      this.#isProbing = false;
      this.#searchAt = now + RAISE_MS;
      return;
    }
    if (packet + this.#overhead <= FLOOR) return;
    if (this.#lostInRow === 0) this.#lostSince = now;
    this.#lostInRow += 1;
    if (this.#lostInRow < BLACK_HOLE || now < this.#lostSince + BLACK_HOLE_MS) return;
    this.#lostInRow = 0;
    this.#size = FLOOR;
    this.#next = 0;
    // It may as well have been an outage: searched anew at once, it is known a few round trips later.
    this.#searchAt = now;
  }
}
