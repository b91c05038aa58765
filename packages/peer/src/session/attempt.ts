import type { AddressFamily, Endpoint } from "@awl/wire";
import type { Role } from "../handshake/role.js";
import { admitCandidates, type Candidate } from "./candidate.js";
import type { Check, Checks } from "./check.js";
import { Checklist } from "./checklist.js";
import type { ControlMessage } from "./control-message.js";
import type { DatagramSend, Gathering, SocketId } from "./gathering.js";
import { stepOf } from "./ladder.js";
import type { Pair } from "./pair.js";

/** How long a try may take once both sides' candidates are known, beside a few round trips of the control link. */
const TRY_MS = 350;
const CONTROL_ROUND_TRIPS = 3;
/** Until the control link's round trip is known. */
const UNKNOWN_CONTROL_RTT_MS = 100;

/** What the peer says of a try. */
export type Offer = Extract<ControlMessage, { type: "candidates" }>;

export interface AttemptContext {
  readonly role: Role;
  readonly checks: Checks;
  /** Addresses of this host, which no check goes to. */
  readonly own: ReadonlySet<string>;
  readonly random: (bytes: number) => Buffer;
  /** Says something to the peer, over whatever carries it. */
  readonly say: (now: number, message: ControlMessage) => void;
}

/**
 * One try to reach the peer, on sockets of its own: gather, exchange candidates, open, check.
 *
 * The opener sends openers with a short TTL, then says `opened`; the other side checks, and says `opened` in its turn; then the
 * opener checks too. So at each router its own side's packet comes first.
 */
export class Attempt {
  readonly number: number;
  readonly gathering: Gathering;
  /** When both sides' candidates were known. */
  startedAt: number | undefined;
  #rung: number;
  readonly #context: AttemptContext;
  #checklist: Checklist | undefined;
  #remote: readonly Candidate[] | undefined;
  #said = false;
  #peerOpened = false;
  #checking = false;

  /** `rung`: of the ladder, unless the listener says another. */
  constructor(number: number, rung: number, gathering: Gathering, context: AttemptContext) {
    this.number = number;
    this.#rung = rung;
    this.gathering = gathering;
    this.#context = context;
  }

  /** The peer's candidates for this try. */
  offered({ candidates, rung }: Offer): void {
    if (this.#remote) return;
    this.#remote = admitCandidates(candidates, this.#context.own);
    if (this.#context.role === "connector") this.#rung = rung ?? this.#rung;
  }

  /** The peer's NATs let our checks in now. */
  opened(): void {
    this.#peerOpened = true;
  }

  advance(now: number): void {
    this.gathering.advance(now);
    if (!this.#said && this.gathering.ended) {
      this.#said = true;
      const candidates = this.gathering.candidates.map(({ type, address, port }) => ({ type, address, port }));
      this.#context.say(now, { type: "candidates", try: this.number, rung: this.#rung, candidates });
    }
    if (this.#said && this.#remote && !this.#checklist) this.#start(now, this.#remote);
    if (this.#checklist && this.#peerOpened && !this.#checking) this.#checkAll(now, this.#checklist);
  }

  /** Takes an authenticated check that came on one of this try's sockets; returns the pair that it concerns. */
  checked(now: number, socket: SocketId, from: Endpoint, check: Check): Pair | undefined {
    if (check.type === "request") return this.#checklist?.requested(now, socket, from, check);
    return this.#checklist?.answered(now, socket, from, check);
  }

  poll(now: number): DatagramSend[] {
    return [...this.gathering.poll(now), ...(this.#checklist?.poll(now) ?? [])];
  }

  get deadline(): number {
    return Math.min(this.gathering.deadline, this.#checklist?.deadline ?? Number.POSITIVE_INFINITY);
  }

  /** When to begin another try; `undefined` while this one waits for candidates. */
  givesUpAt(controlRttMs: number | undefined): number | undefined {
    if (this.startedAt === undefined) return undefined;
    return this.startedAt + TRY_MS + CONTROL_ROUND_TRIPS * (controlRttMs ?? UNKNOWN_CONTROL_RTT_MS);
  }

  /** Where on the ladder this try is; final once it has started. */
  get rung(): number {
    return this.#rung;
  }

  get checklist(): Checklist | undefined {
    return this.#checklist;
  }

  get sockets(): ReadonlyMap<AddressFamily, SocketId> {
    return this.gathering.sockets;
  }

  owns(socket: SocketId): boolean {
    return [...this.sockets.values()].includes(socket);
  }

  #start(now: number, remote: readonly Candidate[]): void {
    const { checks, own, random, role } = this.#context;
    const checklist = new Checklist(checks, this.sockets, remote, own, random);
    this.#checklist = checklist;
    this.startedAt = now;
    const { opener, ttl } = stepOf(this.#rung);
    if (opener === "both") {
      this.#checkAll(now, checklist);
      return;
    }
    checklist.startInside(now);
    if (opener !== role) return;
    checklist.open(now, ttl);
    this.#context.say(now, { type: "opened", try: this.number });
  }

  #checkAll(now: number, checklist: Checklist): void {
    this.#checking = true;
    checklist.startAll(now);
    // The opener is waiting for this; said after the checks are on their way.
    if (stepOf(this.#rung).opener !== this.#context.role) this.#context.say(now, { type: "opened", try: this.number });
  }
}
