import type { RateSample } from "./delivery-rate.js";

/** draft-ietf-ccwg-bbr section 2.13.1: MinRTTFilterLen, ProbeRTTInterval. */
const MIN_RTT_WINDOW_MS = 10_000;
const PROBE_RTT_INTERVAL_MS = 5_000;
/** Not BBR: rounds in a row whose every round trip is far above the minimum, after which it is measured anew. */
const STALE_ROUNDS = 4;
const STALE_FACTOR = 2;
const STALE_MS = 10;

/** What BBR knows of a path: how fast, how long, and what happened in the round trip that has just ended. */
export class BbrModel {
  /** Round trips so far, counted by what is acknowledged (section 4.5.1). */
  rounds = 0;
  /** This acknowledgement begins one. */
  isRoundStart = false;
  /** Of the last whole round: the highest rate and the bytes delivered, the share that was lost, the range of round trips. */
  bwLatest = 0;
  inflightLatest = 0;
  lossRate = 0;
  lossBytes = 0;
  highestRtt = 0;
  lowestRtt = Number.POSITIVE_INFINITY;
  minRtt = Number.POSITIVE_INFINITY;
  #minRttAt = Number.NEGATIVE_INFINITY;
  /** The minimum of the present interval between two probes for it. */
  #probeMin = Number.POSITIVE_INFINITY;
  #probeMinAt = Number.NEGATIVE_INFINITY;
  #staleRounds = 0;
  /** The highest rate of the last bandwidth probe's cycle and of the present one (section 4.5.2). */
  #bwBefore = 0;
  #bwNow = 0;
  #roundEndsAt = 0;
  #round = emptyRound();

  /** Bytes a millisecond. */
  get maxBw(): number {
    return Math.max(this.#bwBefore, this.#bwNow);
  }

  /** Bytes that fill the path at the given rate. */
  bdp(bw: number): number {
    return this.minRtt === Number.POSITIVE_INFINITY ? 0 : bw * this.minRtt;
  }

  /** `delivered`: bytes in all. @returns whether the minimum of the round trip must be probed for */
  update(now: number, sample: RateSample, delivered: number): boolean {
    this.#updateRound(sample, delivered);
    if (sample.rate > 0 && (sample.rate >= this.maxBw || !sample.isAppLimited)) this.#bwNow = Math.max(this.#bwNow, sample.rate);
    return this.#updateMinRtt(now, sample.rttMs);
  }

  /** A cycle of bandwidth probing ends: what was measured before the last one counts no more. */
  nextCycle(): void {
    if (this.#bwNow === 0) return;
    this.#bwBefore = this.#bwNow;
    this.#bwNow = 0;
  }

  /** The path is being looked at without our own queue: what is measured from now on is the minimum. */
  restartMinRtt(): void {
    this.minRtt = Number.POSITIVE_INFINITY;
    this.#probeMin = Number.POSITIVE_INFINITY;
    this.#staleRounds = 0;
  }

  /** The minimum was probed for. */
  confirmMinRtt(now: number): void {
    this.#probeMinAt = now;
  }

  /** Round trips have been far above the minimum for so long that it may no longer be true. */
  get isMinRttStale(): boolean {
    return this.#staleRounds >= STALE_ROUNDS;
  }

  #updateRound({ rate, acked, newlyLost, priorDelivered, rttMs }: RateSample, delivered: number): void {
    this.isRoundStart = priorDelivered >= this.#roundEndsAt;
    const round = this.#round;
    round.acked += acked;
    round.lost += newlyLost;
    round.bw = Math.max(round.bw, rate);
    if (rttMs > round.highestRtt) round.highestRtt = rttMs;
    if (rttMs < round.lowestRtt) round.lowestRtt = rttMs;
    if (!this.isRoundStart) return;

    this.rounds += 1;
    this.#roundEndsAt = delivered;
    this.bwLatest = round.bw;
    this.inflightLatest = round.acked;
    this.lossBytes = round.lost;
    this.lossRate = round.lost / Math.max(1, round.lost + round.acked);
    this.highestRtt = round.highestRtt;
    this.lowestRtt = round.lowestRtt;
    const isStale = round.lowestRtt < Number.POSITIVE_INFINITY && round.lowestRtt > STALE_FACTOR * this.minRtt + STALE_MS;
    this.#staleRounds = isStale ? this.#staleRounds + 1 : 0;
    this.#round = emptyRound();
  }

  /** Section 4.5.3 (ProbeRTT): the shortest round trip of ten seconds, looked for every five unless it was seen anyway. */
  #updateMinRtt(now: number, rttMs: number): boolean {
    const mustProbe = this.#probeMin < Number.POSITIVE_INFINITY && now > this.#probeMinAt + PROBE_RTT_INTERVAL_MS;
    if (rttMs <= this.#probeMin || (mustProbe && rttMs > 0)) {
      this.#probeMin = rttMs;
      this.#probeMinAt = now;
    }
    if (this.#probeMin <= this.minRtt || now > this.#minRttAt + MIN_RTT_WINDOW_MS) {
      this.minRtt = this.#probeMin;
      this.#minRttAt = this.#probeMinAt;
    }
    return mustProbe;
  }
}

function emptyRound() {
  return { acked: 0, lost: 0, bw: 0, highestRtt: 0, lowestRtt: Number.POSITIVE_INFINITY };
}
