import type { SentPacket } from "./sent-packet.js";

/** What one acknowledgement says of the path. The same object is used again for the next one. */
export interface RateSample {
  /** Bytes a millisecond; 0: it says nothing of the rate. */
  readonly rate: number;
  /** The rate was limited by what there was to send, not by the path. */
  readonly isAppLimited: boolean;
  /** Bytes that this acknowledgement is the first to acknowledge. */
  readonly acked: number;
  /** Bytes given up since the last one. */
  readonly newlyLost: number;
  /** Bytes that were acknowledged in all when the newest of its packets was sent. */
  readonly priorDelivered: number;
  /** Bytes in flight right after that packet was sent, … */
  readonly flyingThen: number;
  /** … and given up since. */
  readonly lostSince: number;
  /** NaN: it has no round trip. */
  readonly rttMs: number;
}

/** How fast a path delivers: draft-ietf-ccwg-bbr section 4.1, delivery rate estimation. */
export class DeliveryRate {
  /** Bytes acknowledged and given up so far. */
  delivered = 0;
  lost = 0;
  readonly #sample = {
    rate: 0,
    isAppLimited: false,
    acked: 0,
    newlyLost: 0,
    priorDelivered: 0,
    flyingThen: 0,
    lostSince: 0,
    rttMs: Number.NaN,
  };
  #deliveredAt = 0;
  #firstSentAt = 0;
  #lostBefore = 0;
  /** Samples are limited by the application until this much is delivered. */
  #appLimitedUntil = 0;
  #newest: SentPacket | undefined;
  #acked = 0;

  /** `inFlight`: without this packet. */
  sent(now: number, packet: SentPacket, inFlight: number): void {
    if (inFlight === 0) {
      this.#firstSentAt = now;
      this.#deliveredAt = now;
    }
    packet.delivered = this.delivered;
    packet.deliveredAt = this.#deliveredAt;
    packet.firstSentAt = this.#firstSentAt;
    packet.isAppLimited = this.#appLimitedUntil > this.delivered;
    packet.lostBefore = this.lost;
    packet.flyingThen = inFlight + packet.size;
  }

  /** There was nothing to send though there was room for it. */
  appLimited(inFlight: number): void {
    this.#appLimitedUntil = this.delivered + Math.max(inFlight, 1);
  }

  acked(now: number, packet: SentPacket): void {
    this.delivered += packet.size;
    this.#deliveredAt = now;
    this.#acked += packet.size;
    if (!this.#newest || packet.number > this.#newest.number) this.#newest = packet;
  }

  /** Sums up what `acked` was told since the last time; `undefined` if that was nothing. */
  sample(rttMs: number, minRttMs: number): RateSample | undefined {
    const newest = this.#newest;
    if (!newest) return undefined;
    this.#newest = undefined;
    const sendElapsed = newest.sentAt - newest.firstSentAt;
    const ackElapsed = this.#deliveredAt - newest.deliveredAt;
    const interval = Math.max(sendElapsed, ackElapsed);
    this.#firstSentAt = newest.sentAt;

    const sample = this.#sample;
    // Shorter than a round trip, it would be the rate of a burst of acknowledgements.
    sample.rate = interval > 0 && interval >= minRttMs ? (this.delivered - newest.delivered) / interval : 0;
    sample.isAppLimited = newest.isAppLimited;
    sample.acked = this.#acked;
    sample.newlyLost = this.lost - this.#lostBefore;
    sample.priorDelivered = newest.delivered;
    sample.flyingThen = newest.flyingThen;
    sample.lostSince = this.lost - newest.lostBefore;
    sample.rttMs = rttMs;
    this.#acked = 0;
    this.#lostBefore = this.lost;
    return sample;
  }
}
