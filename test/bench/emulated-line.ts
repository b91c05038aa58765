import type { PeerConnection } from "@awl/peer";

export interface LineOptions {
  readonly mbits: number;
  readonly rttMs: number;
  /** Share of packets that are lost. */
  readonly loss: number;
  /** Bytes that wait before more are dropped. */
  readonly queue: number;
}

/** What a packet is longer on the wire: sealing, UDP, IPv4. */
const WIRE_OVERHEAD = 52;

/** One direction of a line, in this process and in real time: a queue with tail drop, a delay, and losses. */
export class EmulatedLine {
  readonly #options: LineOptions;
  readonly #random: () => number;
  readonly #to: () => PeerConnection;
  readonly #flying: { readonly at: number; readonly packet: Uint8Array }[] = [];
  #busyUntil = 0;
  #isArmed = false;

  constructor(options: LineOptions, random: () => number, to: () => PeerConnection) {
    this.#options = options;
    this.#random = random;
    this.#to = to;
  }

  send(packet: Uint8Array): void {
    const { mbits, rttMs, loss, queue } = this.#options;
    const rate = mbits * 125;
    const size = packet.length + WIRE_OVERHEAD;
    const now = performance.now();
    const start = Math.max(now, this.#busyUntil);
    if ((start - now) * rate + size > queue) return;
    this.#busyUntil = start + size / rate;
    if (this.#random() < loss) return;
    this.#flying.push({ at: this.#busyUntil + rttMs / 2, packet: Uint8Array.from(packet) });
    if (!this.#isArmed) this.#arm();
  }

  #arm(): void {
    const next = this.#flying[0];
    this.#isArmed = next !== undefined;
    if (next) setTimeout(() => this.#deliver(), Math.max(0, next.at - performance.now()));
  }

  #deliver(): void {
    const now = performance.now();
    for (let next = this.#flying[0]; next && next.at <= now; next = this.#flying[0]) {
      this.#flying.shift();
      this.#to().receive(next.packet);
    }
    this.#arm();
  }
}
