import { type ControlMessage, decodeEnvelope, encodeEnvelope } from "./control-message.js";

/** `signal`: the TLS session that the rendezvous forwards. `path`: sealed datagrams on the living path. */
export type Carrier = "signal" | "path";

export interface CarrierSend {
  readonly carrier: Carrier;
  readonly bytes: Buffer;
  /** An acknowledgement alone: nothing comes back for it. */
  readonly isAnswer: boolean;
}

const RETRANSMIT_MS = 250;
const MAX_RETRANSMIT_MS = 4_000;
const MAX_GUESSED_RTT_MS = 1_000;

/** An honest side never has this many messages unanswered; what is said beyond them is lost, rather than a number being missing for ever. */
const MAX_QUEUE = 64;

interface Queued {
  readonly seq: number;
  readonly message: ControlMessage;
  sends: number;
  due: number;
  sentAt: number;
}

/**
 * Control messages, each delivered once and in order, over whatever carrier lives: the rendezvous may die while a path lives, a path
 * while the rendezvous does, and both may come back. So every message goes out on all carriers that are up until the
 * other side has acknowledged it.
 */
export class ControlLink {
  readonly #up = new Set<Carrier>();
  readonly #queue: Queued[] = [];
  #nextSeq = 0;
  #received = 0;
  #acksDue = new Set<Carrier>();
  #rttMs: number | undefined;

  /** How long an acknowledgement takes, milliseconds; `undefined` before the first. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  send(now: number, message: ControlMessage): void {
    if (this.#queue.length === MAX_QUEUE) return;
    this.#queue.push({ seq: this.#nextSeq++, message, sends: 0, due: now, sentAt: now });
  }

  /** A carrier that comes up carries at once what is not acknowledged. */
  setCarrier(now: number, carrier: Carrier, up: boolean): void {
    if (up === this.#up.has(carrier)) return;
    if (!up) {
      this.#up.delete(carrier);
      return;
    }
    this.#up.add(carrier);
    this.hurry(now);
  }

  /** What is not acknowledged goes out again at once: a last word is lost if one before it was. */
  hurry(now: number): void {
    for (const queued of this.#queue) queued.due = now;
  }

  /** The message that these bytes deliver, if it is the next one. */
  receive(now: number, carrier: Carrier, bytes: Uint8Array): ControlMessage | undefined {
    const envelope = decodeEnvelope(bytes);
    if (!envelope) return undefined;
    this.#acknowledge(now, envelope.ack);
    if (envelope.seq === undefined) return undefined;
    // Also for what was seen before: the acknowledgement may have been lost.
    this.#acksDue.add(carrier);
    if (envelope.seq !== this.#received) return undefined;
    this.#received += 1;
    return envelope.message;
  }

  poll(now: number): CarrierSend[] {
    const sends: CarrierSend[] = [];
    for (const queued of this.#queue) {
      if (now < queued.due || this.#up.size === 0) continue;
      if (queued.sends === 0) queued.sentAt = now;
      queued.due = now + Math.min(MAX_RETRANSMIT_MS, RETRANSMIT_MS * 2 ** queued.sends);
      queued.sends += 1;
      const bytes = encodeEnvelope({ seq: queued.seq, ack: this.#received, message: queued.message });
      for (const carrier of this.#up) sends.push({ carrier, bytes, isAnswer: false });
    }
    for (const carrier of this.#acksDue)
      if (this.#up.has(carrier)) sends.push({ carrier, bytes: encodeEnvelope({ ack: this.#received }), isAnswer: true });
    this.#acksDue.clear();
    return sends;
  }

  get deadline(): number {
    if (this.#up.size === 0) return Number.POSITIVE_INFINITY;
    return Math.min(Number.POSITIVE_INFINITY, ...this.#queue.map(({ due }) => due));
  }

  #acknowledge(now: number, ack: number): void {
    // What was never sent cannot have been received, whatever the peer says.
    while (this.#queue[0] && this.#queue[0].seq < ack && this.#queue[0].sends > 0) {
      const { sends, sentAt } = this.#queue.shift() as Queued;
      // Which of several was answered cannot be told; the first is the cautious guess, while it is a credible one.
      if (sends === 1 || now - sentAt <= MAX_GUESSED_RTT_MS) this.#rttMs = now - sentAt;
    }
  }
}
