import { BbrBounds } from "./bbr-bounds.js";
import { BbrModel } from "./bbr-model.js";
import type { RateSample } from "./delivery-rate.js";
import { quantumOf } from "./pacer.js";

/** What is reckoned as one packet, bytes. */
const PACKET = 1_200;
/** RFC 9002 section 7.2. */
const INITIAL_WINDOW = 10 * PACKET;
/** draft-ietf-ccwg-bbr section 2.7, BBRMinPipeCwnd. */
const MIN_WINDOW = 4 * PACKET;
/** Section 2.5: StartupPacingGain, and what empties the queue that it made; PacingMarginPercent. */
const STARTUP_GAIN = 2.77;
const DRAIN_GAIN = 0.5;
const PACING_MARGIN = 0.99;
/** Section 4.3.1.2: start-up ends after three rounds that were hardly faster, or, not BBR, after one that made a queue. */
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;
const QUEUE_GROWTH = 1.25;
/** Section 4.3.1.3, BBRStartupFullLossCnt: fewer lost packets are an accident. */
const FULL_LOST = 6 * PACKET;
/** Section 4.3.3: pacing gains of the four phases of ProbeBW, and how long one cycle may last. */
const DOWN_GAIN = 0.9;
const UP_GAIN = 1.25;
const PROBE_AFTER_MS = 300;
const PROBE_SPREAD_MS = 300;
const PROBE_AFTER_ROUNDS = 63;
/** Not BBR: while probing makes it so much faster each round, it goes on. */
const UP_GROWTH = 1.1;
const WINDOW_GAIN = 2;
const UP_WINDOW_GAIN = 2.25;
/** Section 4.3.4. */
const PROBE_RTT_GAIN = 0.5;
const PROBE_RTT_MS = 200;

/** Section 4.3, with ProbeBW's four phases by name. */
export type BbrPhase = "startup" | "drain" | "down" | "cruise" | "refill" | "up" | "probe-rtt";

const PACING_GAINS: Readonly<Record<BbrPhase, number>> = {
  startup: STARTUP_GAIN,
  drain: DRAIN_GAIN,
  down: DOWN_GAIN,
  cruise: 1,
  refill: 1,
  up: UP_GAIN,
  "probe-rtt": 1,
};

/** Rate and window of one path: BBR version 3 (draft-ietf-ccwg-bbr), as far as docs/transport.md says. */
export class Bbr {
  readonly #random: () => number;
  readonly #model = new BbrModel();
  readonly #bounds = new BbrBounds(this.#model);
  #phase: BbrPhase = "startup";
  #phaseAt: number;
  #phaseRound = 0;
  #window = INITIAL_WINDOW;
  #pacingRate: number;
  #delivered = 0;
  #isFull = false;
  #fullBw = 0;
  #fullRounds = 0;
  /** The rate when the present round of probing upwards began. */
  #upBw = 0;
  #probeAt = 0;
  #probeRounds = PROBE_AFTER_ROUNDS;
  #windowBefore = 0;
  /** When ProbeRTT has been long enough; undefined while too much is still in flight. */
  #probeRttUntil: number | undefined;

  /** `rttMs`: a guess, if there is one. `random`: uniform in [0, 1). */
  constructor(now: number, rttMs: number | undefined, random: () => number) {
    this.#random = random;
    this.#phaseAt = now;
    // Section 4.6.2, BBRInitPacingRate.
    this.#pacingRate = (STARTUP_GAIN * INITIAL_WINDOW) / Math.max(1, rttMs ?? 1);
  }

  /** How many bytes may be in flight. */
  get window(): number {
    return this.#window;
  }

  /** Bytes a millisecond. */
  get pacingRate(): number {
    return this.#pacingRate;
  }

  get phase(): BbrPhase {
    return this.#phase;
  }

  /** `inFlight`: after the acknowledgement. */
  acked(now: number, sample: RateSample, inFlight: number): void {
    this.#delivered += sample.acked;
    const mustProbeRtt = this.#model.update(now, sample, this.#delivered);
    if (this.#model.isRoundStart) this.#roundStarts(sample);
    if (this.#phase === "startup" && this.#isFull) this.#enter(now, "drain");
    if (this.#phase === "drain" && inFlight <= this.#bdp) this.#enterDown(now);
    this.#probeBw(now, sample, inFlight);
    this.#probeRtt(now, mustProbeRtt, inFlight);
    this.#setPacing();
    this.#setWindow(sample.acked);
  }

  /** RFC 9002 section 7.6: nothing at all passed for long. What is known of the path is kept. */
  persistentCongestion(): void {
    this.#window = MIN_WINDOW;
  }

  /** The rate to send at so that what the path can deliver arrives, bytes a millisecond. */
  get #bw(): number {
    return Math.min(this.#model.maxBw, this.#bounds.bwLo) / (1 - this.#bounds.ambientLoss);
  }

  get #bdp(): number {
    return this.#model.bdp(this.#bw);
  }

  #roundStarts(sample: RateSample): void {
    if (!this.#isFull) this.#checkFull(sample);
    else if (this.#phase !== "refill" && this.#phase !== "up") this.#bounds.adapt(this.#window);
    // What this round acknowledged was sent while the queue drained.
    if (this.#phase === "cruise" && this.#model.rounds === this.#phaseRound + 1) this.#bounds.learnAmbientLoss();
    // Only now has the last probe's whole effect been seen.
    if (this.#phase === "down" && this.#model.rounds === this.#phaseRound + 1) this.#model.nextCycle();
  }

  /** Sections 4.3.1.2 and 4.3.1.3: is the pipe full? */
  #checkFull(sample: RateSample): void {
    const { maxBw, lowestRtt, minRtt, inflightLatest } = this.#model;
    if (this.#bounds.isOverrun(FULL_LOST)) {
      this.#isFull = true;
      this.#bounds.inflightHi = Math.max(this.#bdp, inflightLatest);
      return;
    }
    if (sample.isAppLimited) return;
    if (maxBw >= this.#fullBw * FULL_GROWTH) {
      this.#fullBw = maxBw;
      this.#fullRounds = 0;
      return;
    }
    this.#fullRounds += 1;
    const madeQueue = lowestRtt > QUEUE_GROWTH * minRtt + 1;
    this.#isFull = this.#fullRounds >= FULL_ROUNDS || madeQueue;
  }

  /** Section 4.3.3. */
  #probeBw(now: number, sample: RateSample, inFlight: number): void {
    const { isRoundStart, rounds, maxBw, minRtt } = this.#model;
    switch (this.#phase) {
      case "down":
      case "cruise":
        if (this.#isTimeToProbe(now)) {
          this.#bounds.beginProbe();
          this.#enter(now, "refill");
        } else if (this.#phase === "down" && this.#isDrained(inFlight)) this.#enter(now, "cruise");
        return;
      case "refill":
        if (!isRoundStart || rounds === this.#phaseRound) return;
        this.#upBw = maxBw;
        return this.#enter(now, "up");
      case "up": {
        if (this.#bounds.isTooHigh(sample)) {
          if (!sample.isAppLimited) this.#bounds.lowerInflightHi(sample, Math.min(this.#bdp * UP_GAIN, this.#window));
          return this.#enterDown(now);
        }
        this.#bounds.raiseInflightHi(sample.acked, this.#window, isRoundStart);
        const isGrowing = maxBw >= this.#upBw * UP_GROWTH;
        if (isRoundStart && isGrowing) this.#upBw = maxBw;
        const isHighEnough = now - this.#phaseAt > minRtt && inFlight >= UP_GAIN * this.#bdp;
        const isLongEnough = rounds - this.#phaseRound > FULL_ROUNDS;
        if (!isGrowing && (isHighEnough || (isLongEnough && isRoundStart))) this.#enterDown(now);
      }
    }
  }

  /** A whole round at least, so that what is lost just after tells what is always lost. */
  #isDrained(inFlight: number): boolean {
    return this.#model.rounds > this.#phaseRound && inFlight <= Math.min(this.#bdp, this.#bounds.inflightWithHeadroom);
  }

  /** Section 4.3.3.5: often enough to live beside Reno and CUBIC, seldom enough not to disturb, and not in step with others. */
  #isTimeToProbe(now: number): boolean {
    const rounds = Math.min(this.#probeRounds, this.#bdp / PACKET);
    return now > this.#probeAt || this.#model.rounds - this.#phaseRound >= rounds;
  }

  /** Section 4.3.4. */
  #probeRtt(now: number, mustProbe: boolean, inFlight: number): void {
    if (this.#phase !== "probe-rtt") {
      const isStale = this.#model.isMinRttStale;
      if (!isStale && !mustProbe) return;
      this.#windowBefore = this.#window;
      this.#probeRttUntil = undefined;
      if (isStale) this.#model.restartMinRtt();
      return this.#enter(now, "probe-rtt");
    }
    if (this.#probeRttUntil === undefined) {
      if (inFlight > this.#probeRttWindow) return;
      this.#probeRttUntil = now + PROBE_RTT_MS;
      this.#phaseRound = this.#model.rounds;
    } else if (now >= this.#probeRttUntil && this.#model.rounds > this.#phaseRound) {
      this.#model.confirmMinRtt(now);
      this.#window = Math.max(this.#window, this.#windowBefore);
      this.#bounds.forgetShortTerm();
      if (!this.#isFull) return this.#enter(now, "startup");
      this.#enterDown(now);
      this.#enter(now, "cruise");
    }
  }

  get #probeRttWindow(): number {
    return Math.max(MIN_WINDOW, this.#bdp * PROBE_RTT_GAIN);
  }

  #enter(now: number, phase: BbrPhase): void {
    this.#phase = phase;
    this.#phaseAt = now;
    this.#phaseRound = this.#model.rounds;
  }

  #enterDown(now: number): void {
    this.#enter(now, "down");
    this.#probeAt = now + PROBE_AFTER_MS + PROBE_SPREAD_MS * this.#random();
    this.#probeRounds = PROBE_AFTER_ROUNDS - Math.round(this.#random());
  }

  /** Section 4.6.2. */
  #setPacing(): void {
    const rate = PACING_GAINS[this.#phase] * this.#bw * PACING_MARGIN;
    if (rate > 0 && (this.#isFull || rate > this.#pacingRate)) this.#pacingRate = rate;
  }

  /** Section 4.6.4. */
  #setWindow(acked: number): void {
    const gain = this.#phase === "up" ? UP_WINDOW_GAIN : WINDOW_GAIN;
    const target = this.#bdp * gain + 3 * quantumOf(this.#pacingRate);
    if (this.#isFull) this.#window = Math.min(this.#window + acked, target);
    else if (this.#window < target || this.#delivered < INITIAL_WINDOW) this.#window += acked;
    this.#window = Math.max(MIN_WINDOW, Math.min(this.#window, this.#cap));
  }

  /** Section 4.6.4.6, and what ProbeRTT allows. */
  get #cap(): number {
    if (this.#phase === "probe-rtt") return this.#probeRttWindow;
    if (!this.#isFull) return Number.POSITIVE_INFINITY;
    const { inflightHi, inflightLo, inflightWithHeadroom } = this.#bounds;
    const isProbing = this.#phase === "up" || this.#phase === "refill";
    return Math.min(inflightLo, isProbing ? inflightHi : inflightWithHeadroom);
  }
}
