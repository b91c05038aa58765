import type { AddressFamily, Endpoint } from "@awl/wire";
import { Attempt, type AttemptContext, type Offer } from "./attempt.js";
import { Budget } from "./budget.js";
import type { Candidate } from "./candidate.js";
import type { Check } from "./check.js";
import type { Checklist } from "./checklist.js";
import { type DatagramSend, Gathering, type SocketId } from "./gathering.js";
import { LADDER_LENGTH } from "./ladder.js";
import { Nomination } from "./nomination.js";
import type { Pair } from "./pair.js";

export interface PuncherOptions extends AttemptContext {
  readonly families: readonly AddressFamily[];
  /** STUN servers that show our public endpoints. */
  readonly stun: readonly Endpoint[];
  /** Opens a socket. */
  readonly open: (family: AddressFamily) => SocketId;
  readonly close: (socket: SocketId) => void;
}

/** So many tries of the peer's are joined at once: more than a ladder of them. Then one in each interval; others wait for their turn. */
const JOINS = 8;
const JOIN_REFILL_MS = 1_000;

/** Waits between tries once the first ladder is through, milliseconds; the last one stays. */
const BACKOFF_MS = [0, 0, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/** How long better pairs are still checked beside the one in use. */
const UPGRADE_MS = 500;

/** A try whose candidates are older than this has lost its mappings by the time that the peer hears of them. */
const STALE_MS = 10_000;

/** Tries to reach the peer, one after the other, until a pair works; and again when that pair dies. */
export class Puncher {
  /** Whether a path is being looked for. */
  active = false;
  /** When both sides' candidates were first known in this search. */
  startedAt: number | undefined;
  /** Tries in this search. */
  tries = 0;
  readonly #options: PuncherOptions;
  readonly #nomination = new Nomination();
  readonly #joins = new Budget(JOINS, JOIN_REFILL_MS);
  #attempts: Attempt[] = [];
  #number = -1;
  /** The peer's candidates for a try that we have not begun yet. */
  #ahead: Offer | undefined;
  /** Of the ladder: where a search begins. */
  #firstRung = 0;
  #chosen: Pair | undefined;
  #begunAt = Number.NEGATIVE_INFINITY;
  #nextTryAt = Number.POSITIVE_INFINITY;
  /** When better pairs than the one in use have had their time. */
  #stopAt = Number.POSITIVE_INFINITY;

  constructor(options: PuncherOptions) {
    this.#options = options;
  }

  /** Begins a search. `spare`: sockets whose candidates are known already. */
  begin(now: number, spare?: Gathering): void {
    this.active = true;
    this.startedAt = undefined;
    this.tries = 0;
    this.#stopAt = Number.POSITIVE_INFINITY;
    // The connector chooses anew. What the listener was told stands until it is told otherwise: it may be the only one that searches.
    if (this.#options.role === "connector") this.#chosen = undefined;
    for (const { checklist } of this.#attempts) checklist?.restart(now);
    this.#nextTry(now, spare);
  }

  opened(now: number, socket: SocketId, hosts: readonly Endpoint[]): void {
    for (const { gathering } of this.#attempts) gathering.opened(now, socket, hosts);
  }

  /**
   * The peer's candidates for a try. One that it has begun before us, we join. One that we have left, as a path was found, shows that
   * it may not have found it: returns whether it is so.
   */
  offered(now: number, offer: Offer): boolean {
    if (offer.try > this.#number) {
      this.#ahead = offer;
      this.#join(now);
      return false;
    }
    const attempt = this.#attempt(offer.try);
    attempt?.offered(offer);
    return !attempt && !this.active;
  }

  peerOpened(number: number): void {
    this.#attempt(number)?.opened();
  }

  /** Returns whether the datagram was a STUN server's answer. */
  receive(now: number, socket: SocketId, from: Endpoint, bytes: Uint8Array): boolean {
    return this.#attempts.some(({ gathering }) => gathering.receive(now, socket, from, bytes));
  }

  /** An authenticated check: returns the pair that it concerns, if that is the one to use, and works. */
  checked(now: number, socket: SocketId, from: Endpoint, check: Check): Pair | undefined {
    const pair = this.#attempts.find((attempt) => attempt.owns(socket))?.checked(now, socket, from, check);
    if (pair && pair.nomination > (this.#chosen?.nomination ?? -1)) this.#chosen = pair;
    return pair?.valid && pair === this.#chosen ? pair : undefined;
  }

  /** Checks the pair in use now. The connector says again that it is in use: should the two disagree, that ends it. */
  probe(now: number, pair: Pair): void {
    this.#checklistOf(pair)?.check(now, pair, this.#options.role === "connector");
  }

  /** This pair is the path now: what was opened beside it is closed. */
  settle(now: number, pair: Pair): void {
    this.active = false;
    this.#nextTryAt = Number.POSITIVE_INFINITY;
    this.#stopAt = now + UPGRADE_MS;
    for (const attempt of this.#attempts) {
      if (attempt.owns(pair.socket)) {
        attempt.checklist?.settle(pair);
        this.#firstRung = attempt.rung;
      } else this.#close(attempt);
    }
    this.#attempts = this.#attempts.filter((attempt) => attempt.owns(pair.socket));
  }

  /** The control link is back: what was gathered for a peer who could not hear it is gathered anew. */
  reconnected(now: number): void {
    const stale = this.active && this.#attempts.at(-1)?.startedAt === undefined && now > this.#begunAt + STALE_MS;
    if (stale) this.#nextTry(now);
  }

  /** `inUse`: the pair of the living path, if there is one and it is trusted. */
  advance(now: number, inUse: Pair | undefined, controlRttMs: number | undefined): void {
    this.#join(now);
    for (const attempt of this.#attempts) attempt.advance(now);
    const latest = this.#attempts.at(-1);
    this.startedAt ??= latest?.startedAt;
    const givesUpAt = latest?.givesUpAt(controlRttMs);
    if (!this.active) {
      if (now >= this.#stopAt) this.#stopChecks();
    } else if (givesUpAt !== undefined && this.#nextTryAt === Number.POSITIVE_INFINITY) {
      this.#nextTryAt = givesUpAt + (BACKOFF_MS[Math.min(Math.max(0, this.tries - LADDER_LENGTH + 2), BACKOFF_MS.length - 1)] ?? 0);
    } else if (now >= this.#nextTryAt) {
      this.#nextTry(now);
    }
    if (this.#options.role === "connector") this.#nomination.advance(now, this.#checklists, this.#chosen, inUse);
  }

  poll(now: number): DatagramSend[] {
    return this.#attempts.flatMap((attempt) => attempt.poll(now));
  }

  get deadline(): number {
    const attempts = this.#attempts.map(({ deadline }) => deadline);
    const nomination = this.#options.role === "connector" ? this.#nomination.deadline : Number.POSITIVE_INFINITY;
    const join = this.#ahead ? this.#joins.nextAt : Number.POSITIVE_INFINITY;
    return Math.min(...attempts, nomination, join, this.#nextTryAt, this.#stopAt);
  }

  /** The candidates of this side in its latest try. */
  get candidates(): readonly Candidate[] {
    return this.#attempts.at(-1)?.gathering.candidates ?? [];
  }

  /** Checks sent in the tries that are still open. */
  get packets(): number {
    return this.#checklists.flatMap(({ pairs }) => pairs).reduce((sum, { sends }) => sum + sends, 0);
  }

  stop(): void {
    this.active = false;
    for (const attempt of this.#attempts) this.#close(attempt);
    this.#attempts = [];
    this.#nextTryAt = Number.POSITIVE_INFINITY;
  }

  #join(now: number): void {
    if (!this.#ahead || !this.#joins.take(now)) return;
    if (this.active) this.#nextTry(now);
    else this.begin(now);
  }

  /** The peer may be some tries ahead: one that it began for nothing is one that we never heard of. */
  #nextTry(now: number, spare?: Gathering): void {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    this.#number = ahead?.try ?? this.#number + 1;
    this.tries += 1;
    this.#begunAt = now;
    this.#nextTryAt = Number.POSITIVE_INFINITY;
    const { families, open, stun, random } = this.#options;
    const gathering = spare ?? new Gathering(new Map(families.map((family) => [family, open(family)])), stun, random);
    const rung = (this.#firstRung + this.tries - 1) % LADDER_LENGTH;
    const attempt = new Attempt(this.#number, rung, gathering, this.#options);
    if (ahead) attempt.offered(ahead);
    this.#attempts.push(attempt);
    // The path in use, if any, is in the oldest; the latest two are where an answer may still come from.
    for (const old of this.#attempts.splice(1, Math.max(0, this.#attempts.length - 3))) this.#close(old);
  }

  #stopChecks(): void {
    this.#stopAt = Number.POSITIVE_INFINITY;
    for (const { checklist } of this.#attempts) checklist?.stop();
  }

  #close(attempt: Attempt): void {
    for (const socket of attempt.sockets.values()) this.#options.close(socket);
  }

  #attempt(number: number): Attempt | undefined {
    return this.#attempts.find((attempt) => attempt.number === number);
  }

  #checklistOf(pair: Pair): Checklist | undefined {
    return this.#attempts.find((attempt) => attempt.owns(pair.socket))?.checklist;
  }

  get #checklists(): Checklist[] {
    return this.#attempts.flatMap(({ checklist }) => checklist ?? []);
  }
}
