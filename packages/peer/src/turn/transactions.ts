import type { AttributeValue, Endpoint, StunMessage } from "@awl/wire";
import { type Authentication, judge, type Signature } from "./authentication.js";
import type { TurnCounters } from "./counters.js";
import { failure, failureOf, noAnswer } from "./failure.js";
import { RetransmissionTimeout } from "./rto.js";
import type { TurnFailure, TurnFailureCode, TurnTransport } from "./turn-io.js";

/** RFC 8489 section 6.2.1: how often a request is sent, and how many timeouts the last one is waited for. */
const MAX_SENDS = 7;
const LAST_WAIT = 16;

/** On a slow way those would add up to minutes. Over a stream, which repeats for itself, this is all there is to wait for. */
const PATIENCE_MS = { udp: 12_000, stream: 10_000 } as const;

/** At the same time; what is more waits until one has ended. */
const MAX_OPEN = 32;

export interface Request {
  readonly method: number;
  readonly attributes: readonly AttributeValue[];
  /** Called once, unless all is forgotten before. */
  readonly done: (now: number, result: Result) => void;
}

export type Result =
  /** `repeated`: sent more than once, so what was sent behind the first copy may have come too early. */
  | { readonly type: "success"; readonly message: StunMessage; readonly repeated: boolean }
  /** `message`: the authentic error response, if there was one. */
  | ({ readonly type: "failure"; readonly message?: StunMessage } & TurnFailure);

interface Transaction {
  readonly request: Request;
  readonly bytes: Buffer;
  readonly signature: Signature | undefined;
  /** The challenges that this request has been sent again for. */
  readonly followed: readonly TurnFailureCode[];
  readonly begunAt: number;
  readonly rtoMs: number;
  sends: number;
  due: number;
  /** An answer came that nobody who knows the password has signed. */
  sawForgery: boolean;
}

/** Requests on their way to one server: repeated until answered, authenticated both ways. */
export class Transactions {
  readonly #server: Endpoint;
  readonly #transport: TurnTransport;
  readonly #authentication: Authentication;
  readonly #random: (bytes: number) => Buffer;
  readonly #send: (bytes: Buffer) => void;
  readonly #counters: TurnCounters;
  readonly #rto = new RetransmissionTimeout();
  readonly #open = new Map<string, Transaction>();
  #followsChallenges = true;

  constructor(options: {
    readonly server: Endpoint;
    readonly transport: TurnTransport;
    readonly authentication: Authentication;
    readonly random: (bytes: number) => Buffer;
    readonly send: (bytes: Buffer) => void;
    readonly counters: TurnCounters;
  }) {
    this.#server = options.server;
    this.#transport = options.transport;
    this.#authentication = options.authentication;
    this.#random = options.random;
    this.#send = options.send;
    this.#counters = options.counters;
  }

  /** Sends a request at once. Ask {@link full} first. */
  begin(now: number, request: Request): void {
    this.#begin(now, request, []);
  }

  get full(): boolean {
    return this.#open.size >= MAX_OPEN;
  }

  /** Takes an answer. */
  receive(now: number, message: StunMessage): void {
    const key = message.transactionId.toString("latin1");
    const transaction = this.#open.get(key);
    if (!transaction || message.method !== transaction.request.method) {
      this.#counters["unknown-transaction"]++;
      return;
    }
    const verdict = judge(message, transaction.signature);
    if (verdict === "forged") return this.#distrust(now, key, transaction);
    this.#open.delete(key);
    if (transaction.sends === 1) this.#rto.measured(now - transaction.begunAt);
    if (verdict === "challenge") return this.#challenged(now, message, transaction);
    transaction.request.done(now, resultOf(message, transaction.sends > 1 || transaction.followed.length > 0));
  }

  /** Repeats what is due, and gives up what has had all its time. */
  advance(now: number): void {
    for (const [key, transaction] of this.#open) {
      if (now < transaction.due) continue;
      if (transaction.sends < this.#maxSends && now < this.#endOf(transaction)) {
        this.#send(transaction.bytes);
        this.#sent(now, transaction);
        continue;
      }
      this.#open.delete(key);
      const { code, text } = transaction.sawForgery ? FORGED : noAnswer(this.#server);
      transaction.request.done(now, { type: "failure", code, text });
    }
  }

  get deadline(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { due } of this.#open.values()) earliest = Math.min(earliest, due);
    return earliest;
  }

  /** What is on its way is waited for, but not sent again with other credentials. */
  settle(): void {
    this.#followsChallenges = false;
  }

  /** What was begun is not waited for any more. */
  forget(): void {
    this.#open.clear();
  }

  #begin(now: number, request: Request, followed: readonly TurnFailureCode[]): void {
    const id = this.#random(12);
    const { bytes, signature } = this.#authentication.encode(request.method, id, request.attributes);
    const transaction: Transaction = {
      request,
      bytes,
      signature,
      followed,
      begunAt: now,
      rtoMs: this.#rto.ms,
      sends: 0,
      due: 0,
      sawForgery: false,
    };
    this.#open.set(id.toString("latin1"), transaction);
    this.#send(bytes);
    this.#sent(now, transaction);
  }

  #sent(now: number, transaction: Transaction): void {
    const { rtoMs } = transaction;
    transaction.sends += 1;
    const wait = transaction.sends < this.#maxSends ? rtoMs * 2 ** (transaction.sends - 1) : rtoMs * LAST_WAIT;
    transaction.due = this.#transport === "stream" ? this.#endOf(transaction) : Math.min(this.#endOf(transaction), now + wait);
  }

  get #maxSends(): number {
    return this.#transport === "stream" ? 1 : MAX_SENDS;
  }

  #endOf({ begunAt }: Transaction): number {
    return begunAt + PATIENCE_MS[this.#transport];
  }

  /** RFC 8489 section 9.2.5: a datagram anybody can send; on a stream there is nobody else, and no second answer will come. */
  #distrust(now: number, key: string, transaction: Transaction): void {
    this.#counters.forged++;
    transaction.sawForgery = true;
    if (this.#transport === "udp") return;
    this.#open.delete(key);
    transaction.request.done(now, { type: "failure", ...FORGED });
  }

  /** A first request learns realm and nonce, and a nonce may be stale: once each. The next one would be a loop. */
  #challenged(now: number, message: StunMessage, { request, signature, followed }: Transaction): void {
    const stated = failureOf(message);
    const verdict = this.#authentication.follow(message, signature);
    if (verdict === "bad-challenge") return request.done(now, { type: "failure", ...UNTRUSTED });
    if (verdict === "retry" && this.#followsChallenges && !followed.includes(stated.code))
      return this.#begin(now, request, [...followed, stated.code]);
    request.done(now, { type: "failure", ...stated });
  }
}

const UNTRUSTED = failure("bad-challenge", "The relay asks for credentials in a way that cannot be trusted.");
const FORGED = failure("integrity-violated", "The relay's answers were not signed with the password.");

function resultOf(message: StunMessage, repeated: boolean): Result {
  if (message.class === "error") return { type: "failure", message, ...failureOf(message) };
  // RFC 8489 section 6.3.3.
  if (message.unknownRequired.length > 0) {
    return { type: "failure", ...failure("bad-answer", "The relay's answer has parts that must be understood, and are not.") };
  }
  return { type: "success", message, repeated };
}
