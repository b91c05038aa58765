import type { AddressFamily, Endpoint } from "@awl/wire";
import { Attempt, type AttemptContext } from "./attempt.js";
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

/** A peer cannot make us begin tries faster than this. */
const MIN_TRY_SPACING_MS = 200;

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
  #attempts: Attempt[] = [];
  #number = -1;
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
    for (const { checklist } of this.#attempts) checklist?.restart(now);
    this.#nextTry(now, spare);
  }

  opened(now: number, socket: SocketId, hosts: readonly Endpoint[]): void {
    for (const { gathering } of this.#attempts) gathering.opened(now, socket, hosts);
  }

  /** The peer's candidates for a try: perhaps its next one, which we then join. */
  offered(now: number, number: number, candidates: readonly Candidate[]): void {
    if (number === this.#number + 1 && now >= this.#begunAt + MIN_TRY_SPACING_MS) {
      if (this.active) this.#nextTry(now);
      else this.begin(now);
    }
    this.#attempt(number)?.offered(candidates);
  }

  peerOpened(number: number): void {
    this.#attempt(number)?.opened();
  }

  /** Returns whether the datagram was a STUN server's answer. */
  receive(socket: SocketId, from: Endpoint, bytes: Uint8Array): boolean {
    return this.#attempts.some(({ gathering }) => gathering.receive(socket, from, bytes));
  }

  /** An authenticated check: returns the pair that it concerns. */
  checked(now: number, socket: SocketId, from: Endpoint, check: Check): Pair | undefined {
    return this.#attempts.find((attempt) => attempt.owns(socket))?.checked(now, socket, from, check);
  }

  /** Checks one pair now. */
  probe(now: number, pair: Pair): void {
    this.#checklistOf(pair)?.check(now, pair);
  }

  /** This pair is the path now: what was opened beside it is closed. */
  settle(now: number, pair: Pair): void {
    this.active = false;
    this.#nextTryAt = Number.POSITIVE_INFINITY;
    this.#stopAt = now + UPGRADE_MS;
    for (const attempt of this.#attempts) {
      if (attempt.owns(pair.socket)) attempt.checklist?.settle(pair);
      else this.#close(attempt);
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
    if (this.#options.role === "connector") this.#nomination.advance(now, this.#checklists, inUse);
  }

  poll(now: number): DatagramSend[] {
    return this.#attempts.flatMap((attempt) => attempt.poll(now));
  }

  get deadline(): number {
    const attempts = this.#attempts.map(({ deadline }) => deadline);
    const nomination = this.#options.role === "connector" ? this.#nomination.deadline : Number.POSITIVE_INFINITY;
    return Math.min(...attempts, nomination, this.#nextTryAt, this.#stopAt);
  }

  /** The candidates of this side in its latest try. */
  get candidates(): readonly Candidate[] {
    return this.#attempts.at(-1)?.gathering.candidates ?? [];
  }

  get pairs(): readonly Pair[] {
    return this.#checklists.flatMap(({ pairs }) => pairs);
  }

  stop(): void {
    this.active = false;
    for (const attempt of this.#attempts) this.#close(attempt);
    this.#attempts = [];
    this.#nextTryAt = Number.POSITIVE_INFINITY;
  }

  #nextTry(now: number, spare?: Gathering): void {
    this.#number += 1;
    this.tries += 1;
    this.#begunAt = now;
    this.#nextTryAt = Number.POSITIVE_INFINITY;
    const { families, open, stun, random } = this.#options;
    const gathering = spare ?? new Gathering(new Map(families.map((family) => [family, open(family)])), stun, random);
    this.#attempts.push(new Attempt(this.#number, gathering, this.#options));
    // The path in use, if any, is in the oldest; the latest two are where an answer may still come from.
    for (const attempt of this.#attempts.splice(1, Math.max(0, this.#attempts.length - 3))) this.#close(attempt);
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
