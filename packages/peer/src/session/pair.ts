import { type Endpoint, sameEndpoint } from "@awl/wire";
import { type Candidate, rank } from "./candidate.js";
import type { SocketId } from "./gathering.js";

/** One way to the peer: a socket of ours and an endpoint of the peer's. RFC 8445 section 6.1.2. */
export class Pair {
  readonly socket: SocketId;
  readonly remote: Candidate;
  /** An answer to a check of ours came back on it: both directions work, and the peer is who it must be. */
  valid = false;
  rttMs: number | undefined;
  /** What the peer saw us as. */
  mapped: Endpoint | undefined;
  validAt = 0;
  /** The order of the connector's latest choice of it that the listener knows of: the highest of all pairs is the one to use. */
  nomination = -1;
  /** Checks sent, for the pace. */
  sends = 0;
  /** Checks sent because one of the peer's came. */
  triggered = 0;
  due = Number.POSITIVE_INFINITY;

  constructor(socket: SocketId, remote: Candidate) {
    this.socket = socket;
    this.remote = remote;
  }

  get rank(): number {
    return rank(this.remote);
  }

  /** Forgets what was proven: it is to be proven anew. */
  reset(now: number): void {
    this.valid = false;
    this.sends = 0;
    this.triggered = 0;
    this.due = now;
  }

  is(socket: SocketId, remote: Endpoint): boolean {
    return this.socket === socket && sameEndpoint(this.remote, remote);
  }
}
