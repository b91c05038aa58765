import type { BbrModel } from "./bbr-model.js";
import type { RateSample } from "./delivery-rate.js";

/**
 * draft-ietf-ccwg-bbr section 2.8: LossThresh; Beta, which is 0.7 there, and Headroom, which is 0.15: with those CUBIC left us less than a
 * quarter of a line whose queue holds one round trip.
 */
const LOSS_THRESHOLD = 0.02;
const BETA = 0.8;
const HEADROOM = 0.05;

/** Not BBR: a queue shows as so much more than the shortest round trip. */
const QUEUE_SHARE = 1 / 16;
const QUEUE_MS = 0.25;

/**
 * Not BBR: what is lost right after the rate was lowered and the queue drained is a property of the path. It is learned as a moving
 * average, allowed for, and sent in addition. (Where a policer drops what is above a rate, nothing is lost just then.)
 */
const AMBIENT_SHARE = 1 / 4;
const AMBIENT_ALLOWANCE = 1.5;
const MAX_AMBIENT = 0.35;

/** Growth of the upper bound begins with so many bytes a round trip, and doubles with each. */
const FIRST_STEP = 1_200;

/**
 * The response to loss: draft-ietf-ccwg-bbr section 4.6, bounds on what is in flight and on the rate.
 *
 * Unlike there, loss counts only where a queue shows in the round trips of the same time: a radio link that loses 5 % of whatever
 * it gets is not congested, and slowing down would not help it.
 */
export class BbrBounds {
  readonly #model: BbrModel;
  /** Long-term: more in flight was too much. */
  inflightHi = Number.POSITIVE_INFINITY;
  /** Short-term, until the next probe for bandwidth. */
  inflightLo = Number.POSITIVE_INFINITY;
  bwLo = Number.POSITIVE_INFINITY;
  #step = FIRST_STEP;
  #ambientLoss = 0;

  constructor(model: BbrModel) {
    this.#model = model;
  }

  /** The share of `inflightHi` that is used while nothing is probed: newcomers find the rest. */
  get inflightWithHeadroom(): number {
    return this.inflightHi * (1 - HEADROOM);
  }

  /** The share of what is sent that gets lost whatever we do. */
  get ambientLoss(): number {
    return this.#ambientLoss;
  }

  /** The last round shows it, if it had no queue. */
  learnAmbientLoss(): void {
    const { lossRate, highestRtt } = this.#model;
    if (this.#showsQueue(highestRtt)) return;
    this.#ambientLoss += AMBIENT_SHARE * (Math.min(lossRate, MAX_AMBIENT) - this.#ambientLoss);
  }

  /** Start-up has overrun the path: much was lost in a round that had a queue from its beginning to its end. */
  isOverrun(leastLost: number): boolean {
    const { lossRate, lossBytes, lowestRtt } = this.#model;
    return lossRate > LOSS_THRESHOLD && lossBytes >= leastLost && this.#showsQueue(lowestRtt);
  }

  /** Too much was in flight when the newest acknowledged packet was sent. */
  isTooHigh({ lostSince, flyingThen, rttMs }: RateSample): boolean {
    return lostSince > this.#threshold * flyingThen && this.#showsQueue(Math.max(rttMs || 0, this.#model.highestRtt));
  }

  /** Section 4.3.3.6, BBRHandleInflightTooHigh. */
  lowerInflightHi({ flyingThen }: RateSample, target: number): void {
    this.inflightHi = Math.max(flyingThen, target * BETA);
  }

  /** Section 4.3.3.6, BBRProbeInflightHiUpward: slowly at first, then faster. */
  raiseInflightHi(acked: number, window: number, isRoundStart: boolean): void {
    if (this.inflightHi === Number.POSITIVE_INFINITY) return;
    if (isRoundStart) this.#step *= 2;
    this.inflightHi += (acked * this.#step) / window;
  }

  /** A probe begins: the short-term bounds are forgotten. */
  beginProbe(): void {
    this.#step = FIRST_STEP;
    this.forgetShortTerm();
  }

  forgetShortTerm(): void {
    this.inflightLo = Number.POSITIVE_INFINITY;
    this.bwLo = Number.POSITIVE_INFINITY;
  }

  /** Section 4.6.3: after each round outside of probing. */
  adapt(window: number): void {
    const { bwLatest, inflightLatest, maxBw, lossRate, highestRtt } = this.#model;
    if (lossRate <= this.#threshold || !this.#showsQueue(highestRtt)) return;
    this.bwLo = Math.max(bwLatest, BETA * Math.min(this.bwLo, maxBw));
    this.inflightLo = Math.max(inflightLatest, BETA * Math.min(this.inflightLo, window));
  }

  get #threshold(): number {
    return LOSS_THRESHOLD + AMBIENT_ALLOWANCE * this.#ambientLoss;
  }

  #showsQueue(rttMs: number): boolean {
    const { minRtt } = this.#model;
    return rttMs > minRtt * (1 + QUEUE_SHARE) + QUEUE_MS;
  }
}
