import {
  ChangedAddress,
  type ChangeFlags,
  ChangeRequest,
  type Endpoint,
  encodeMessage,
  MappedAddress,
  Method,
  OtherAddress,
  type StunMessage,
  sameEndpoint,
  XorMappedAddress,
} from "@awl/wire";

/** Which of the machine's sockets; the driver opens one for each number that it is told to. */
export type SocketId = number;

export interface Question {
  readonly socket: SocketId;
  readonly to: Endpoint;
  /** Asks the server to answer from its other address and/or port. RFC 5780 section 7.2. */
  readonly change?: ChangeFlags;
  /** Where the answer must come from. @default `to` */
  readonly from?: Endpoint;
}

/**
 * - `waiting`: asked, or about to be.
 * - `answered`: a success response came from where it must come from.
 * - `refused`: the server answered with an error, or without a mapped address.
 * - `misdirected`: a response came, but from another endpoint than asked for. It says nothing about the NAT.
 * - `silent`: every send stayed unanswered.
 */
export type ExchangeState = "waiting" | "answered" | "refused" | "misdirected" | "silent";

/** Milliseconds to wait after the given number of sends; `undefined`: give up. */
export type Retransmit = (sends: number) => number | undefined;

/** One STUN Binding transaction: a question, sent until it is answered or given up. RFC 8489 section 6.2.1. */
export class Exchange {
  readonly question: Question;
  readonly transactionId: Buffer;
  state: ExchangeState = "waiting";
  sends = 0;
  firstSentAt = 0;
  /** When `poll` has something to do. */
  due: number;
  /** Set once `answered`. */
  mapped: Endpoint | undefined;
  /** The server's other address and port, if the answer names one. */
  other: Endpoint | undefined;
  readonly #retransmit: Retransmit;
  #answers = 1;

  constructor(now: number, question: Question, transactionId: Buffer, retransmit: Retransmit) {
    this.question = question;
    this.transactionId = transactionId;
    this.due = now;
    this.#retransmit = retransmit;
  }

  /** The request to send now, if one is due. */
  poll(now: number): Buffer | undefined {
    if (this.state !== "waiting" || now < this.due) return undefined;
    const wait = this.#retransmit(this.sends + 1);
    if (wait === undefined) {
      this.state = "silent";
      return undefined;
    }
    if (this.sends === 0) this.firstSentAt = now;
    this.sends += 1;
    // From the actual time of this send, not from the planned one: a late process must not see its deadlines expire in a heap.
    this.due = now + wait;
    const { change } = this.question;
    return encodeMessage({
      method: Method.Binding,
      class: "request",
      transactionId: this.transactionId,
      attributes: change ? [ChangeRequest.of(change)] : [],
    });
  }

  /** Sends the same request once more at once; for exchanges whose repetition is paced from outside. */
  again(now: number): void {
    this.due = now;
  }

  /** Takes a response with this transaction id; returns whether it is the answer. */
  receive(message: StunMessage, from: Endpoint): boolean {
    if (this.state !== "waiting") return false;
    this.state = this.#judge(message, from);
    if (this.state !== "answered") return false;
    this.mapped = mappedEndpoint(message);
    this.other = message.get(OtherAddress) ?? message.get(ChangedAddress);
    return true;
  }

  /** Whether this is an answer once more, to a request that was repeated too early. */
  repeats(message: StunMessage, from: Endpoint): boolean {
    return this.state === "answered" && this.#answers++ < this.sends && this.#judge(message, from) === "answered";
  }

  #judge(message: StunMessage, from: Endpoint): ExchangeState {
    if (message.class === "error") return "refused";
    if (!mappedEndpoint(message)) return "refused";
    return sameEndpoint(from, this.question.from ?? this.question.to) ? "answered" : "misdirected";
  }
}

/** Servers of RFC 3489 have no XOR-MAPPED-ADDRESS. */
function mappedEndpoint(message: StunMessage): Endpoint | undefined {
  return message.get(XorMappedAddress) ?? message.get(MappedAddress);
}
