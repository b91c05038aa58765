import { decodeMessage, type Endpoint, Method, type StunMessage } from "@awl/wire";
import { Exchange, type Question, type Retransmit, type SocketId } from "./exchange.js";
import { Line } from "./line.js";

export interface Send {
  readonly socket: SocketId;
  readonly to: Endpoint;
  readonly bytes: Buffer;
}

/** Where all exchanges of one probe are asked, matched with their answers, and counted. */
export class Desk {
  readonly line = new Line();
  /** Datagrams that were no answer to any question of ours. */
  dropped = 0;
  readonly #random: (bytes: number) => Buffer;
  readonly #exchanges = new Map<string, Exchange>();

  /** `random`: unguessable bytes, the transaction ids. */
  constructor(random: (bytes: number) => Buffer) {
    this.#random = random;
  }

  /** Asks until answered or until the line's loss no longer explains the silence. */
  ask(now: number, question: Question): Exchange {
    return this.askPaced(now, question, (sends) => {
      if (sends > this.line.sendsToBelieve) return undefined;
      return this.line.rtoMs * Math.min(4, 2 ** (sends - 1));
    });
  }

  askPaced(now: number, question: Question, retransmit: Retransmit): Exchange {
    const exchange = new Exchange(now, question, this.#random(12), retransmit);
    this.#exchanges.set(exchange.transactionId.toString("latin1"), exchange);
    return exchange;
  }

  /** A datagram arrived: matched by transaction id *and* socket, else dropped. */
  receive(now: number, socket: SocketId, from: Endpoint, bytes: Uint8Array): void {
    const message = bindingResponse(bytes);
    const exchange = message && this.#exchanges.get(message.transactionId.toString("latin1"));
    if (!message || exchange?.question.socket !== socket) {
      this.dropped += 1;
      return;
    }
    if (exchange.repeats(message, from)) this.line.answeredAgain();
    if (exchange.receive(message, from)) this.line.answered(exchange.sends, now - exchange.firstSentAt);
  }

  /** What is to be sent now, in the order in which it was asked. */
  poll(now: number): Send[] {
    const sends: Send[] = [];
    for (const exchange of this.#exchanges.values()) {
      const bytes = exchange.poll(now);
      if (bytes) sends.push({ socket: exchange.question.socket, to: exchange.question.to, bytes });
    }
    return sends;
  }

  /** When `poll` will have something to do; `Infinity`: nothing is waiting. */
  get deadline(): number {
    let deadline = Number.POSITIVE_INFINITY;
    for (const { state, due } of this.#exchanges.values()) if (state === "waiting" && due < deadline) deadline = due;
    return deadline;
  }
}

function bindingResponse(bytes: Uint8Array): StunMessage | undefined {
  const message = decodeMessage(bytes);
  if (typeof message === "string" || message.method !== Method.Binding) return undefined;
  return message.class === "success" || message.class === "error" ? message : undefined;
}
