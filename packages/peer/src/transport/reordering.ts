/** RFC 9002 section 6.1: kPacketThreshold, and kTimeThreshold less one. */
const PACKETS = 3;
const TIME_SHARE = 1 / 8;
/** No path reorders more; and a loss is noticed after two round trips at the latest. */
const MAX_PACKETS = 1_024;
const MAX_TIME_SHARE = 1;

/**
 * How far behind a packet must be to count as lost: RFC 9002 section 6.1, and as it allows there, more on a path that reorders, as
 * RFC 8985 section 6.2 does.
 */
export class Reordering {
  #packets = PACKETS;
  #timeShare = TIME_SHARE;

  /** A packet so many numbers behind the largest acknowledged one is lost. */
  get packets(): number {
    return this.#packets;
  }

  /** In round trips. */
  get time(): number {
    return 1 + this.#timeShare;
  }

  /** A packet that was given up has arrived. */
  wasLate(): void {
    this.#packets = Math.min(MAX_PACKETS, 2 * this.#packets);
    this.#timeShare = Math.min(MAX_TIME_SHARE, 2 * this.#timeShare);
  }
}
