import type { VirtualClock } from "./virtual-clock.test-support.js";

/** What a packet is longer on the wire: sealing, UDP, IPv4. */
export const WIRE_OVERHEAD = 24 + 8 + 20;

export interface LinkOptions {
  /** Megabits a second. @default no limit */
  mbits?: number;
  /** One way, milliseconds. @default 0 */
  delayMs?: number;
  /** What waits beyond it is dropped, bytes. @default no limit */
  queue?: number;
  /** Share of packets that are lost, each for itself. @default 0 */
  loss?: number;
  /** Gilbert's model: chances of entering and leaving a bad state, in which all is lost. @default never */
  burst?: { enter: number; leave: number };
  /** Share of packets that are late, by up to `lateMs`, and so overtaken. @default 0 */
  reorder?: number;
  lateMs?: number;
  /** Share of packets that arrive twice. @default 0 */
  duplicate?: number;
  /** Nothing passes. @default false */
  down?: boolean;
  /** Longer datagrams are lost, bytes of UDP payload. @default no limit */
  mtu?: number;
}

/** One direction of a line; `options` may change at any time. */
export class Link {
  readonly options: LinkOptions;
  sentBytes = 0;
  dropped = 0;
  /** How long packets waited in the queue, milliseconds: one entry a packet. */
  readonly waits: number[] = [];
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  #busyUntil = 0;
  #isBad = false;

  constructor(clock: VirtualClock, random: () => number, options: LinkOptions) {
    this.#clock = clock;
    this.#random = random;
    this.options = { ...options };
  }

  /** `size`: bytes of UDP payload. */
  send(size: number, deliver: () => void): void {
    const { mbits, delayMs = 0, queue, reorder = 0, lateMs = 0, duplicate = 0, down = false, mtu } = this.options;
    const { now } = this.#clock;
    const rate = mbits === undefined ? Number.POSITIVE_INFINITY : mbits * 125;
    const bytes = size + WIRE_OVERHEAD - 24;
    this.sentBytes += bytes;
    if (down || size > (mtu ?? size)) return;
    const wait = Math.max(0, this.#busyUntil - now);
    if (queue !== undefined && wait * rate + bytes > queue) {
      this.dropped += 1;
      return;
    }
    this.waits.push(wait);
    this.#busyUntil = now + wait + bytes / rate;
    if (this.#loses()) return;
    const late = this.#random() < reorder ? this.#random() * lateMs : 0;
    this.#clock.at(this.#busyUntil + delayMs + late, deliver);
    if (this.#random() < duplicate) this.#clock.at(this.#busyUntil + delayMs + this.#random() * 5, deliver);
  }

  #loses(): boolean {
    const { loss = 0, burst } = this.options;
    if (burst) {
      if (this.#random() < (this.#isBad ? burst.leave : burst.enter)) this.#isBad = !this.#isBad;
      if (this.#isBad) return true;
    }
    return this.#random() < loss;
  }
}
