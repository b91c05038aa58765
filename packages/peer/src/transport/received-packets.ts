import { writeAck } from "./frame-encode.js";
import type { PacketWriter } from "./packet-writer.js";
import { RangeSet } from "./range-set.js";

/** More ranges are not remembered: packets below them count as repeated. Bounds what a peer that skips numbers can make us keep. */
const MAX_RANGES = 512;

/** An acknowledgement waits no longer than this; the peer's probe timeout reckons with it (RFC 9000 section 18.2, max_ack_delay). */
export const MAX_ACK_DELAY_MS = 25;
/** Nor than this share of a round trip, so that the sender's model of the path stays fresh. */
const ACK_DELAY_IN_RTTS = 0.25;

/** RFC 9000 section 13.2.2: every second packet is acknowledged, … */
const ACK_EVERY = 2;
/** … but, once start-up is over, every tenth: an acknowledgement costs both sides as much as a full packet. */
const ACK_EVERY_LATER = 10;
const START_UP_PACKETS = 100;

/** Which packets arrived, and when to say so: RFC 9000 section 13.2. */
export class ReceivedPackets {
  readonly #numbers = new RangeSet();
  #largest = -1;
  #largestAt = 0;
  /** Numbers below this one are too old to know. */
  #floor = 0;
  #elicited = 0;
  /** Of them, those that are not acknowledged yet. */
  #waiting = 0;
  #ackAt = Number.POSITIVE_INFINITY;

  isKnown(number: number): boolean {
    return number < this.#floor || this.#numbers.has(number);
  }

  /** A packet that is not known; `isEliciting`: it must be acknowledged. `rttMs`: an estimate of the round trip. */
  add(now: number, number: number, isEliciting: boolean, rttMs: number): void {
    const isInOrder = number === this.#largest + 1;
    this.#numbers.add(number, number + 1);
    if (this.#numbers.size > MAX_RANGES) {
      this.#floor = this.#numbers.firstEnd;
      this.#numbers.shift();
    }
    if (number > this.#largest) {
      this.#largest = number;
      this.#largestAt = now;
    }
    if (!isEliciting) return;
    this.#elicited += 1;
    this.#waiting += 1;
    const isEnough = this.#waiting >= (this.#elicited > START_UP_PACKETS ? ACK_EVERY_LATER : ACK_EVERY);
    // Section 13.2.1: what is out of order is reported at once, because it may be the sign of a loss.
    const delay = isInOrder && !isEnough ? Math.min(MAX_ACK_DELAY_MS, rttMs * ACK_DELAY_IN_RTTS) : 0;
    this.#ackAt = Math.min(this.#ackAt, now + delay);
  }

  /** When an acknowledgement must be sent; infinity if none is owed. */
  get ackAt(): number {
    return this.#ackAt;
  }

  /** Writes an ACK if one is owed. @returns whether it did */
  write(writer: PacketWriter, now: number): boolean {
    if (this.#waiting === 0 || !writeAck(writer, this.#numbers.edges, Math.max(0, now - this.#largestAt))) return false;
    this.#waiting = 0;
    this.#ackAt = Number.POSITIVE_INFINITY;
    return true;
  }
}
