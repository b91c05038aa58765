import {
  type AddressFamily,
  classifyAddress,
  decodeMessage,
  type Endpoint,
  encodeMessage,
  endpointFamily,
  MappedAddress,
  Method,
  sameEndpoint,
  XorMappedAddress,
} from "@awl/wire";
import type { Candidate } from "./candidate.js";

/** One UDP socket of the driver's. */
export type SocketId = number;

export interface DatagramSend {
  readonly socket: SocketId;
  readonly to: Endpoint;
  readonly bytes: Buffer;
  /** IPv4 time to live, or IPv6 hop limit. @default the system's */
  readonly ttl?: number;
  /** Nothing comes back for it. @default false */
  readonly isAnswer?: boolean;
}

/** A server that does not answer must not hold up peers who can reach each other without it. */
const WAITS_MS = [60, 120, 240, 300];

/** Nor one that answers no IPv6, say, those who have its IPv4 answer: at least so long after that, and once more the time that it took. */
const GRACE_MS = 50;

interface Question {
  readonly socket: SocketId;
  readonly server: Endpoint;
  readonly transactionId: Buffer;
  sends: number;
  due: number;
  ended: boolean;
}

/**
 * Finds the candidates of one set of fresh sockets, at most one a family: their local endpoints (RFC 8445 section 5.1.1.1) and, by a
 * STUN server each, their public ones (section 5.1.1.2).
 */
export class Gathering {
  readonly sockets = new Map<AddressFamily, SocketId>();
  readonly #stun: readonly Endpoint[];
  readonly #random: (bytes: number) => Buffer;
  readonly #waiting: Set<SocketId>;
  readonly #candidates: Candidate[] = [];
  readonly #questions: Question[] = [];
  #startedAt: number | undefined;
  /** When those who have not answered are given up, because another did. */
  #closesAt = Number.POSITIVE_INFINITY;

  /** `sockets`: being opened; `opened` is to be called for each. */
  constructor(sockets: ReadonlyMap<AddressFamily, SocketId>, stun: readonly Endpoint[], random: (bytes: number) => Buffer) {
    this.sockets = new Map(sockets);
    this.#waiting = new Set(sockets.values());
    this.#stun = stun;
    this.#random = random;
  }

  /** A socket is bound, and these are its local endpoints: none if the host has no address of that family. */
  opened(now: number, socket: SocketId, hosts: readonly Endpoint[]): void {
    if (!this.#waiting.delete(socket)) return;
    const [family] = [...this.sockets].find(([, id]) => id === socket) ?? [];
    for (const host of hosts) this.#add({ ...host, type: "host" });
    if (hosts.length === 0) return;
    this.#startedAt ??= now;
    for (const server of this.#stun.filter((endpoint) => endpointFamily(endpoint) === family)) {
      this.#questions.push({ socket, server, transactionId: this.#random(12), sends: 0, due: now, ended: false });
    }
  }

  /** Returns whether the datagram was an answer to this gathering. */
  receive(now: number, socket: SocketId, from: Endpoint, bytes: Uint8Array): boolean {
    const question = this.#questions.find((asked) => asked.socket === socket && sameEndpoint(asked.server, from));
    if (!question) return false;
    const message = decodeMessage(bytes);
    if (typeof message === "string" || message.method !== Method.Binding || !message.transactionId.equals(question.transactionId))
      return false;
    const mapped = message.get(XorMappedAddress) ?? message.get(MappedAddress);
    // Only the first answer counts: a server could send others for ever.
    if (mapped && !question.ended) this.#add({ ...mapped, type: "server-reflexive" });
    question.ended = true;
    this.#closesAt = Math.min(this.#closesAt, now + Math.max(GRACE_MS, now - (this.#startedAt ?? now)));
    return true;
  }

  /** Gives up the servers that have had all their time. */
  advance(now: number): void {
    for (const question of this.#questions) {
      if (now >= this.#closesAt || (question.sends === WAITS_MS.length && now >= question.due)) question.ended = true;
    }
  }

  poll(now: number): DatagramSend[] {
    const sends: DatagramSend[] = [];
    this.advance(now);
    for (const question of this.#questions) {
      if (question.ended || now < question.due) continue;
      question.due = now + (WAITS_MS[question.sends++] ?? 0);
      const { socket, server, transactionId } = question;
      sends.push({ socket, to: server, bytes: encodeMessage({ method: Method.Binding, class: "request", transactionId }) });
    }
    return sends;
  }

  get deadline(): number {
    const open = this.#questions.filter(({ ended }) => !ended);
    return open.length === 0 ? Number.POSITIVE_INFINITY : Math.min(this.#closesAt, ...open.map(({ due }) => due));
  }

  /** Whether all sockets are open and all servers have answered or been given up. */
  get ended(): boolean {
    return this.#waiting.size === 0 && this.#questions.every(({ ended }) => ended);
  }

  get candidates(): readonly Candidate[] {
    return this.#candidates;
  }

  #add(candidate: Candidate): void {
    if (classifyAddress(candidate.address) === "loopback" || candidate.port === 0) return;
    // A public endpoint that equals a local one is that local one: there is no NAT.
    if (!this.#candidates.some((known) => sameEndpoint(known, candidate))) this.#candidates.push(candidate);
  }
}
