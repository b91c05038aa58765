import type { StunFault } from "@awl/wire";

/** Why a datagram got no answer: it is no STUN message, or none that a server answers. */
export type BindingDrop = StunFault | "other-method" | "indication" | "not-a-request" | "bad-source" | "own-source";

/** What became of every datagram. All fields only grow, and `received` is the sum of all the others. */
export class BindingCounters {
  /** Answered with a success response. */
  answered = 0;
  /** Answered with an error response, by its code; 500 is the rate limit's. */
  readonly refused = { 403: 0, 420: 0, 500: 0 };
  /** Not answered. */
  readonly dropped: Record<BindingDrop, number> = {
    "too-short": 0,
    "not-stun": 0,
    "bad-length": 0,
    "attribute-overrun": 0,
    "too-many-attributes": 0,
    "bad-attribute": 0,
    "bad-fingerprint": 0,
    "fingerprint-not-last": 0,
    "other-method": 0,
    indication: 0,
    "not-a-request": 0,
    "bad-source": 0,
    "own-source": 0,
  };

  get received(): number {
    return this.answered + sum(this.refused) + sum(this.dropped);
  }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
