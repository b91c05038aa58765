import type { TransportCode } from "./close-code.js";
import type { AckFrame } from "./frame.js";
import type { Path } from "./path.js";
import { MAX_ACK_DELAY_MS } from "./received-packets.js";
import { Reordering } from "./reordering.js";
import { GRANULARITY_MS } from "./rtt.js";
import type { SentPacket } from "./sent-packet.js";
import { SentPackets } from "./sent-packets.js";

/** RFC 9002 section 7.6.1, kPersistentCongestionThreshold. */
const PERSISTENT = 3;
/**
 * A probe timeout doubles each time (RFC 9002 section 6.2.1), but not beyond this: when a path that was dead for long comes back, that
 * must not go unnoticed for long, and two packets a second burden nothing.
 */
const MAX_TIMEOUT_MS = 1_000;
/** RFC 9002 section 6.2.4. */
const PROBES = 2;
/** A packet that was given up is remembered for so many timeouts: it may only be late. */
const REMEMBER = 2;

const NEVER = Number.POSITIVE_INFINITY;

/** Which packets arrived, which are lost, and when to ask: RFC 9002 sections 5 and 6. */
export class Recovery {
  packetsLost = 0;
  bytesLost = 0;
  packetsLate = 0;
  timeouts = 0;
  /** So many packets may be sent now, whatever the window says, to find out whether anything passes. */
  probes = 0;
  readonly #packets = new SentPackets();
  #path: Path;
  /** Paths that were left, with packets on their way. */
  #left: Path[] = [];
  #reordering = new Reordering();
  #largestAcked = -1;
  /** No packet before it is flying. */
  #scanFrom = 0;
  /** When the next packet counts as lost for its age. */
  #lossAt = NEVER;
  #lastSentAt = 0;
  /** Probe timeouts in a row. */
  #backoff = 0;

  constructor(path: Path) {
    this.#path = path;
  }

  get path(): Path {
    return this.#path;
  }

  get nextNumber(): number {
    return this.#packets.next;
  }

  /** `undefined`: a packet that asks for no acknowledgement. */
  sent(now: number, packet: SentPacket | undefined): void {
    this.#packets.push(packet);
    if (!packet) return;
    const { path } = packet;
    path.rate.sent(now, packet, path.inFlight);
    path.inFlight += packet.size;
    path.pacer.sent(packet.size);
    if (packet.isSizeProbe) path.size.probeSent();
    this.#lastSentAt = now;
    if (this.probes > 0) this.probes -= 1;
  }

  /** An ACK frame. @returns which rule it breaks, if one */
  acknowledge(now: number, { ranges, delayMs }: AckFrame): TransportCode | undefined {
    const largest = ranges[1] ?? 0;
    // RFC 9000 section 13.1.
    if (largest >= this.#packets.next) return "protocol-violation";
    let newest: SentPacket | undefined;
    for (let i = 0; i < ranges.length; i += 2) {
      const low = Math.max(ranges[i] ?? 0, this.#packets.first);
      for (let number = ranges[i + 1] ?? 0; number >= low; number--) {
        const packet = this.#packets.get(number);
        if (!packet || packet.state === "acked") continue;
        newest ??= packet;
        this.#acked(now, packet);
      }
    }
    if (!newest) return undefined;
    this.#largestAcked = Math.max(this.#largestAcked, largest);
    this.#backoff = 0;
    const isSample = newest.number === largest && newest.path === this.#path;
    this.#learn(now, isSample ? now - newest.sentAt : Number.NaN, delayMs);
    return undefined;
  }

  /** Time has passed. */
  advance(now: number): void {
    this.#giveUpLeft(now);
    if (now >= this.#lossAt) return this.#detectLosses(now);
    if (now < this.#timeoutAt) return;
    this.timeouts += 1;
    this.#backoff += 1;
    this.probes = PROBES;
    this.#lastSentAt = now;
    this.#repeatOldest();
  }

  /** When to call `advance`. */
  get deadline(): number {
    return Math.min(this.#lossAt < NEVER ? this.#lossAt : this.#timeoutAt, this.#left[0]?.giveUpAt ?? NEVER);
  }

  /** How long an answer may take, milliseconds (RFC 9002 section 6.2.1). */
  get timeoutMs(): number {
    return this.#path.rtt.patience + MAX_ACK_DELAY_MS;
  }

  /**
   * From now on packets take another path. What is on its way on the old one is given up after a timeout, or at once if that is dead;
   * it is no sign of congestion.
   */
  changePath(now: number, path: Path, isOldDead: boolean): void {
    this.#path.giveUpAt = isOldDead ? now : now + this.timeoutMs;
    this.#left.push(this.#path);
    this.#path = path;
    this.#reordering = new Reordering();
    this.#lossAt = NEVER;
    this.#backoff = 0;
    this.probes = 0;
    this.#giveUpLeft(now);
  }

  get #timeoutAt(): number {
    if (this.#path.inFlight === 0) return NEVER;
    const { timeoutMs } = this;
    return this.#lastSentAt + Math.min(timeoutMs * 2 ** this.#backoff, Math.max(timeoutMs, MAX_TIMEOUT_MS));
  }

  #acked(now: number, packet: SentPacket): void {
    const { path } = packet;
    if (packet.state === "flying") path.inFlight -= packet.size;
    else this.#late(packet);
    packet.state = "acked";
    path.rate.acked(now, packet);
    path.size.delivered(packet.size, packet.isSizeProbe);
    for (const frame of packet.frames) frame.owner.delivered(frame);
  }

  #late({ path }: SentPacket): void {
    this.packetsLate += 1;
    if (path === this.#path) this.#reordering.wasLate();
  }

  /** What an acknowledgement says of the path. */
  #learn(now: number, rttMs: number, delayMs: number): void {
    const path = this.#path;
    const ackDelayMs = Math.min(delayMs, MAX_ACK_DELAY_MS);
    if (rttMs >= 0) path.rtt.sample(now, rttMs, ackDelayMs);
    this.#detectLosses(now);
    // The peer's own delay is no queue.
    const sample = path.rate.sample(Math.max(GRANULARITY_MS / 10, rttMs - ackDelayMs), path.rtt.min);
    if (sample) path.congestion.acked(now, sample, path.inFlight);
  }

  /** RFC 9002 section 6.1. */
  #detectLosses(now: number): void {
    const { rtt } = this.#path;
    const patience = Math.max(rtt.recent * this.#reordering.time, GRANULARITY_MS);
    this.#lossAt = NEVER;
    /** When the first of several lost packets was sent, none between which was acknowledged. */
    let lostSince: number | undefined;
    let firstFlying: number | undefined;
    let number = Math.max(this.#scanFrom, this.#packets.first);
    for (; number < this.#largestAcked; number++) {
      const packet = this.#packets.get(number);
      if (packet?.state === "acked") lostSince = undefined;
      if (packet?.state !== "flying") continue;
      if (packet.path !== this.#path) {
        firstFlying ??= number;
        continue;
      }
      const isBehind = number <= this.#largestAcked - this.#reordering.packets;
      if (!isBehind && packet.sentAt + patience > now) {
        this.#lossAt = packet.sentAt + patience;
        break;
      }
      this.#lose(now, packet, true);
      lostSince ??= packet.sentAt;
      this.#checkPersistent(lostSince, packet.sentAt);
    }
    this.#scanFrom = firstFlying ?? number;
    this.#forget(now);
  }

  /** RFC 9002 section 7.6. */
  #checkPersistent(since: number, until: number): void {
    const { rtt, congestion } = this.#path;
    if (since > rtt.firstSampleAt && until - since > this.timeoutMs * PERSISTENT) congestion.persistentCongestion();
  }

  #lose(now: number, packet: SentPacket, isCongestion: boolean): void {
    const { path, size, isSizeProbe } = packet;
    packet.state = "lost";
    path.inFlight -= size;
    path.size.lost(now, size, isSizeProbe);
    if (isCongestion && !isSizeProbe) {
      path.rate.lost += size;
      this.packetsLost += 1;
      this.bytesLost += size;
    }
    if (packet.isRepeated) return;
    for (const frame of packet.frames) frame.owner.lost(frame);
  }

  #giveUpLeft(now: number): void {
    for (let path = this.#left[0]; path && now >= path.giveUpAt; path = this.#left[0]) {
      this.#left.shift();
      if (path.inFlight === 0) continue;
      for (let number = this.#packets.first; number < this.#packets.next; number++) {
        const packet = this.#packets.get(number);
        if (packet?.state === "flying" && packet.path === path) this.#lose(now, packet, false);
      }
    }
  }

  /** RFC 9002 section 6.2.4: probes carry what has waited longest, which fills the peer's oldest gap. */
  #repeatOldest(): void {
    let left = PROBES;
    for (let number = this.#packets.first; number < this.#packets.next && left > 0; number++) {
      const packet = this.#packets.get(number);
      if (packet?.state !== "flying") continue;
      left -= 1;
      if (packet.isRepeated || packet.frames.length === 0) continue;
      packet.isRepeated = true;
      for (const frame of packet.frames) frame.owner.lost(frame);
    }
  }

  #forget(now: number): void {
    const oldest = now - REMEMBER * this.timeoutMs;
    this.#packets.trim(({ state, sentAt }) => state === "flying" || (state === "lost" && sentAt > oldest));
  }
}
