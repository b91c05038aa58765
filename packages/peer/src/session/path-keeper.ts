import { type Endpoint, sameEndpoint } from "@awl/wire";
import type { Pair } from "./pair.js";

/** Design of path life: RFC 7675 asks for consent every 5 s; a mapping that lives 20 s only asks for more than one packet in that time. */
const KEEPALIVE_MS = 15_000;
/** Keepalives are earlier than that by up to this share, so that many sessions do not send in step. */
const KEEPALIVE_JITTER = 0.2;
/** So long an answer may take before it is asked for. */
const PATIENCE_MS = 1_000;
const PROBE_MS = 250;
const PROBES = 4;

/** - `idle`: nothing to do. - `probe`: send a check on the path. - `lost`: the path is dead. */
export type PathVerdict = "idle" | "probe" | "lost";

/** Watches over the path in use: keeps its mappings alive, and notices when it is dead. */
export class PathKeeper {
  readonly pair: Pair;
  /** What the peer saw us as when this path was taken. */
  readonly mapped: Endpoint;
  readonly #random: () => number;
  #probes = 0;
  /** While something that was sent is unanswered: when to ask, or to stop asking. */
  #nextProbe = Number.POSITIVE_INFINITY;
  #keepaliveMs: number;
  #keepaliveAt: number;

  /** `random`: uniform in [0, 1). */
  constructor(now: number, pair: Pair, random: () => number) {
    this.pair = pair;
    this.mapped = pair.mapped ?? { address: "0.0.0.0", port: 0 };
    this.#random = random;
    this.#keepaliveMs = this.#drawKeepalive();
    this.#keepaliveAt = now + this.#keepaliveMs;
  }

  /** Whether this is the path as it is: the same pair, and the same public endpoint of ours, which a router may change unasked. */
  shows(pair: Pair): boolean {
    return pair === this.pair && (!pair.mapped || sameEndpoint(pair.mapped, this.mapped));
  }

  /**
   * Something authenticated came from the peer on this path. `flowing`: of its own accord, so more may follow; if it does not, it is
   * asked once whether it fell silent or is not heard any more. Who only receives would notice a dead path very late otherwise.
   */
  heard(now: number, flowing: boolean): void {
    this.#probes = 0;
    this.#nextProbe = flowing ? now + PATIENCE_MS : Number.POSITIVE_INFINITY;
  }

  /** Something went out that the peer will react to. */
  sent(now: number): void {
    this.#keepaliveAt = now + this.#keepaliveMs;
    if (this.#nextProbe === Number.POSITIVE_INFINITY) this.#nextProbe = now + PATIENCE_MS;
  }

  /** The peer looks for another path: this one is asked at once. */
  doubt(now: number): void {
    this.#nextProbe = Math.min(this.#nextProbe, now + (this.#probes > 0 ? PROBE_MS : 0));
  }

  advance(now: number): PathVerdict {
    if (now >= this.#nextProbe) {
      if (this.#probes === PROBES) return "lost";
      this.#probes += 1;
      this.#nextProbe = now + PROBE_MS;
    } else if (now < this.#keepaliveAt) {
      return "idle";
    }
    // A probe keeps the mappings alive too.
    this.#keepaliveMs = this.#drawKeepalive();
    this.#keepaliveAt = now + this.#keepaliveMs;
    return "probe";
  }

  get deadline(): number {
    return Math.min(this.#nextProbe, this.#keepaliveAt);
  }

  #drawKeepalive(): number {
    return KEEPALIVE_MS * (1 - KEEPALIVE_JITTER * this.#random());
  }
}
