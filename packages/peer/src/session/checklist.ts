import { type AddressFamily, type Endpoint, endpointFamily } from "@awl/wire";
import { type Candidate, isAdmissible, isInside, MAX_REMOTE_CANDIDATES } from "./candidate.js";
import type { Check, Checks } from "./check.js";
import type { DatagramSend, SocketId } from "./gathering.js";
import { Pair } from "./pair.js";

/** When checks of a pair are repeated, milliseconds after the one before: quick at first, as most pairs answer at once or never. */
const PACE_MS = [20, 40, 80, 160, 200];
/** A pair that has not answered by then is asked once a second. */
const QUICK_CHECKS = 25;
const SLOW_PACE_MS = 1_000;

/** Endpoints that the peer's own checks come from, learnt beside its candidates: a NAT of its that maps each flow anew makes a few. */
const MAX_PEER_REFLEXIVE = 8;

/** A peer that has sent this many checks on a pair without our reaching it there never will; a hostile one makes us send no more. */
const MAX_TRIGGERED_CHECKS = 50;

/** An answer that took longer than this is not waited for. */
const TRANSACTION_LIFE_MS = 5_000;

type CheckRequest = Extract<Check, { type: "request" }>;

interface Transaction {
  readonly pair: Pair;
  readonly sentAt: number;
  /** The counter of the check, if it nominates. */
  readonly nomination: number | undefined;
}

/**
 * The pairs of one try and the checks on them. RFC 8445 section 7.
 *
 * Which checks go out is decided from outside: `startInside` for the pairs that no NAT can spoil, `open` for openers, `startAll` for all the rest.
 */
export class Checklist {
  readonly pairs: Pair[] = [];
  readonly #checks: Checks;
  readonly #own: ReadonlySet<string>;
  readonly #random: (bytes: number) => Buffer;
  readonly #transactions = new Map<string, Transaction>();
  readonly #outbox: DatagramSend[] = [];
  #peerReflexive = 0;

  /** `remote`: admitted candidates. `own`: this host's addresses. */
  constructor(
    checks: Checks,
    sockets: ReadonlyMap<AddressFamily, SocketId>,
    remote: readonly Candidate[],
    own: ReadonlySet<string>,
    random: (bytes: number) => Buffer,
  ) {
    this.#checks = checks;
    this.#own = own;
    this.#random = random;
    for (const candidate of remote.slice(0, MAX_REMOTE_CANDIDATES)) this.#addPair(sockets.get(endpointFamily(candidate)), candidate);
    this.pairs.sort((a, b) => b.rank - a.rank);
  }

  /** Begins with the pairs inside one network: no router on their way remaps anything. */
  startInside(now: number): void {
    for (const pair of this.pairs) if (isInside(pair.remote)) this.#begin(pair, now);
  }

  startAll(now: number): void {
    for (const pair of this.pairs) this.#begin(pair, now);
  }

  /** Sends each outside pair one check that is to die on the way, once it has opened our own NATs. */
  open(now: number, ttl: number): void {
    for (const pair of this.pairs) if (!isInside(pair.remote)) this.#send(now, pair, { ttl });
  }

  /** Sends one check now, beside the pace: a probe, or a nomination. */
  check(now: number, pair: Pair, nominates = false): void {
    this.#send(now, pair, { nominates });
  }

  /** Ends the pace of all pairs that are no better than this one. */
  settle(chosen: Pair): void {
    for (const pair of this.pairs) if (pair === chosen || pair.rank <= chosen.rank) pair.due = Number.POSITIVE_INFINITY;
  }

  /** Checks every pair anew, as the path may have died under it. */
  restart(now: number): void {
    // An answer to what was asked before proves nothing of now.
    this.#transactions.clear();
    for (const pair of this.pairs) pair.reset(now);
  }

  stop(): void {
    for (const pair of this.pairs) pair.due = Number.POSITIVE_INFINITY;
  }

  /**
   * An authenticated request came: learns where it came from, answers it, and checks that way at once. RFC 8445 section 7.3.
   * Senders are easily forged by a peer that wants us to answer strangers: no endpoint is answered that is not one of a few.
   */
  requested(now: number, socket: SocketId, from: Endpoint, request: CheckRequest): Pair | undefined {
    const pair = this.pairs.find((known) => known.is(socket, from)) ?? this.#learn(socket, from);
    if (!pair) return undefined;
    this.#outbox.push({ socket, to: from, bytes: this.#checks.answer(request.transactionId, from), isAnswer: true });
    if (request.nominates) pair.nomination = Math.max(pair.nomination, request.counter);
    if (!pair.valid && pair.triggered++ < MAX_TRIGGERED_CHECKS) this.#send(now, pair, {});
    return pair;
  }

  /** An authenticated answer came: returns the pair that it proves. RFC 8445 section 7.2.5. */
  answered(now: number, socket: SocketId, from: Endpoint, answer: { transactionId: Buffer; mapped: Endpoint }): Pair | undefined {
    const key = answer.transactionId.toString("latin1");
    const transaction = this.#transactions.get(key);
    // Symmetric addresses: an answer from elsewhere says nothing of this pair (RFC 8445 section 7.2.5.2.1).
    if (!transaction?.pair.is(socket, from)) return undefined;
    this.#transactions.delete(key);
    const { pair, sentAt, nomination = -1 } = transaction;
    if (!pair.valid) pair.validAt = now;
    pair.valid = true;
    pair.nomination = Math.max(pair.nomination, nomination);
    pair.rttMs = now - sentAt;
    pair.mapped = answer.mapped;
    return pair;
  }

  poll(now: number): DatagramSend[] {
    for (const pair of this.pairs) {
      if (pair.valid) pair.due = Number.POSITIVE_INFINITY;
      if (now < pair.due) continue;
      pair.due = now + pace(pair.sends);
      pair.sends += 1;
      this.#send(now, pair, {});
    }
    for (const [key, { sentAt }] of this.#transactions) {
      if (now - sentAt <= TRANSACTION_LIFE_MS) break;
      this.#transactions.delete(key);
    }
    return this.#outbox.splice(0);
  }

  get deadline(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.pairs.filter(({ valid }) => !valid).map(({ due }) => due));
  }

  #begin(pair: Pair, now: number): void {
    if (!pair.valid && pair.due === Number.POSITIVE_INFINITY) pair.due = now;
  }

  #send(now: number, pair: Pair, { ttl, nominates = false }: { ttl?: number; nominates?: boolean }): void {
    const transactionId = this.#random(12);
    const bytes = this.#checks.request(transactionId, nominates);
    const nomination = nominates ? this.#checks.counter : undefined;
    this.#transactions.set(transactionId.toString("latin1"), { pair, sentAt: now, nomination });
    this.#outbox.push({ socket: pair.socket, to: pair.remote, bytes, ...(ttl !== undefined && { ttl }) });
  }

  /** The peer's NAT gave it another endpoint towards us than towards the rendezvous. RFC 8445 section 7.3.1.3. */
  #learn(socket: SocketId, from: Endpoint): Pair | undefined {
    if (this.#peerReflexive >= MAX_PEER_REFLEXIVE || !isAdmissible(from, this.#own)) return undefined;
    this.#peerReflexive += 1;
    return this.#addPair(socket, { ...from, type: "peer-reflexive" });
  }

  #addPair(socket: SocketId | undefined, remote: Candidate): Pair | undefined {
    if (socket === undefined) return undefined;
    const pair = new Pair(socket, remote);
    this.pairs.push(pair);
    return pair;
  }
}

function pace(sends: number): number {
  return sends < QUICK_CHECKS ? (PACE_MS[Math.min(sends, PACE_MS.length - 1)] ?? SLOW_PACE_MS) : SLOW_PACE_MS;
}
