import { isInside } from "./candidate.js";
import type { Checklist } from "./checklist.js";
import type { Pair } from "./pair.js";

/** A better pair that is still being checked gets this many round trips of the one that works, within bounds, to answer. */
const GRACE_ROUND_TRIPS = 2;
const MIN_GRACE_MS = 5;
const MAX_GRACE_MS = 50;

const REPEAT_MS = 100;
/** A pair that worked once, and is then silent about so many nominations, does not work any more. */
const MAX_SAYINGS = 10;

/** The connector's choice of the pair to use, and its saying so until the listener has heard it. RFC 8445 section 8.1.1. */
export class Nomination {
  #pair: Pair | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;
  #sayings = 0;
  #due = Number.POSITIVE_INFINITY;

  /** `chosen`: the pair that the listener knows to be chosen. `inUse`: the pair of the living path; only a better one is chosen in its place. */
  advance(now: number, checklists: readonly Checklist[], chosen: Pair | undefined, inUse: Pair | undefined): void {
    this.#due = Number.POSITIVE_INFINITY;
    for (const checklist of checklists) {
      const best = bestOf(checklist);
      if (!best || best === chosen || (inUse && best.rank <= inUse.rank)) continue;
      const ripe = ripeAt(best, checklist);
      if (now < ripe) {
        this.#due = Math.min(this.#due, ripe);
      } else {
        this.#nominate(now, checklist, best, inUse !== undefined);
      }
      return;
    }
  }

  get deadline(): number {
    return this.#due;
  }

  #nominate(now: number, checklist: Checklist, pair: Pair, canWait: boolean): void {
    if (pair !== this.#pair) this.#sayings = 0;
    if (pair !== this.#pair || now >= this.#saidAt + REPEAT_MS) {
      this.#pair = pair;
      this.#saidAt = now;
      if (++this.#sayings > MAX_SAYINGS) {
        this.#pair = undefined;
        pair.reset(canWait ? Number.POSITIVE_INFINITY : now);
        return;
      }
      checklist.check(now, pair, true);
    }
    this.#due = this.#saidAt + REPEAT_MS;
  }
}

function bestOf({ pairs }: Checklist): Pair | undefined {
  return pairs.filter(({ valid }) => valid).sort((a, b) => b.rank - a.rank || (a.rttMs ?? 0) - (b.rttMs ?? 0))[0];
}

function ripeAt(best: Pair, { pairs }: Checklist): number {
  // Who is not behind our own NAT is not in our LAN either, and is not to be waited for there.
  const near = pairs.some(({ remote }) => remote.type !== "host" && remote.address === best.mapped?.address);
  const better = pairs.some(
    ({ valid, due, rank, remote }) => !valid && due < Number.POSITIVE_INFINITY && rank > best.rank && (near || !isInside(remote)),
  );
  if (!better) return best.validAt;
  return best.validAt + Math.min(MAX_GRACE_MS, Math.max(MIN_GRACE_MS, GRACE_ROUND_TRIPS * (best.rttMs ?? 0)));
}
