import { decodeMessage, type Endpoint } from "@awl/wire";
import { Clock } from "../clock.test-support.js";
import { TurnClient } from "./turn-client.js";
import type { TurnClientOptions, TurnEvent, TurnInput } from "./turn-io.js";
import { ADA, type ServerDoubleOptions, TurnServerDouble } from "./turn-server.test-support.js";

export const SERVER: Endpoint = { address: "203.0.113.1", port: 3478 };
export const CLIENT: Endpoint = { address: "198.51.100.7", port: 40_000 };
export const PEER: Endpoint = { address: "192.0.2.9", port: 9_000 };

export interface Line {
  /** One way. @default 10 */
  readonly delayMs?: number;
  /** @default 0 */
  readonly loss?: number;
  /** @default 0 */
  readonly duplication?: number;
  /** Up to so much later than others. @default 0 */
  readonly jitterMs?: number;
}

/** So many of a request, and of its answers, may be lost, for a test must not depend on luck: of seven that are sent, one is answered. */
const MAX_LOST = 3;

export interface WorldOptions {
  readonly seed?: number;
  readonly line?: Line;
  readonly server?: Partial<ServerDoubleOptions>;
  readonly client?: Partial<TurnClientOptions>;
  /** With realm and nonce of the server. @default false */
  readonly issued?: boolean;
}

/** A client, a server, and a peer that echoes, in virtual time. */
export class TurnWorld {
  readonly clock: Clock;
  readonly server: TurnServerDouble;
  readonly client: TurnClient;
  readonly events: TurnEvent[] = [];
  /** What came back from peers. */
  readonly received: { from: Endpoint; text: string; at: number }[] = [];
  /** What the client sent, and when. */
  readonly sent: { at: number; bytes: Buffer }[] = [];
  /** What reached the peer. */
  readonly reached: { at: number; peer: Endpoint; text: string }[] = [];
  /** The line between client and server may change. */
  line: Line;
  /** @default it echoes */
  onPeer: (peer: Endpoint, from: Endpoint, bytes: Buffer) => void;
  readonly #lost = new Map<string, number>();
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(options: WorldOptions = {}) {
    this.clock = new Clock(options.seed ?? 1);
    this.line = options.line ?? {};
    const { clock } = this;
    const stream = options.client?.transport === "stream";
    this.server = new TurnServerDouble(
      { address: SERVER.address, ...options.server },
      (out) => {
        if ("client" in out) return this.#transmit(out.bytes, (bytes) => this.feed({ type: "datagram", bytes }));
        this.reached.push({ at: clock.now, peer: out.peer, text: out.bytes.toString() });
        clock.later(() => this.onPeer(out.peer, out.from, out.bytes), 10);
      },
      stream,
    );
    this.onPeer = (peer, from, bytes) => clock.later(() => this.server.fromPeer(clock.now, from, peer, bytes), 10);
    this.client = new TurnClient({
      server: SERVER,
      transport: "udp",
      credentials: { ...ADA, ...(options.issued && this.server.issue(0)) },
      family: 4,
      random: (length) => Buffer.from(Array.from({ length }, () => Math.trunc(clock.random() * 256))),
      ...options.client,
    });
  }

  get ended(): boolean {
    return this.events.some(({ event }) => event === "failed" || event === "ended");
  }

  get relayed(): Endpoint | undefined {
    return this.events.find((event) => event.event === "allocated")?.relayed;
  }

  /** Until there is an allocation, or none. */
  allocate(ms = 30_000): this {
    this.feed({ type: "tick" });
    this.clock.runFor(ms, () => this.relayed !== undefined || this.ended);
    return this;
  }

  send(text: string, to: Endpoint = PEER): void {
    this.feed({ type: "relay", to, bytes: Buffer.from(text) });
  }

  feed(input: TurnInput): void {
    const { clock } = this;
    const wasOver = this.ended;
    for (const output of this.client.handle(clock.now, input)) {
      if (wasOver) throw new Error(`said after the end: ${output.type}`);
      switch (output.type) {
        case "send":
          this.sent.push({ at: clock.now, bytes: output.bytes });
          this.#transmit(output.bytes, (bytes) => this.server.receive(clock.now, CLIENT, bytes));
          break;
        case "data":
          this.received.push({ from: output.from, text: output.bytes.toString(), at: clock.now });
          break;
        case "event":
          this.events.push(output.event);
          break;
        case "wake":
          this.#wake(output.at);
      }
    }
  }

  #wake(at: number): void {
    const { clock } = this;
    if (at <= clock.now) throw new Error(`a deadline in the past: ${at} at ${clock.now}`);
    this.#wakeAt = at;
    if (at < Number.POSITIVE_INFINITY) clock.at(at, () => this.#wakeAt === at && this.feed({ type: "tick" }));
  }

  #transmit(bytes: Buffer, arrive: (bytes: Buffer) => void): void {
    const { clock } = this;
    const { delayMs = 10, loss = 0, duplication = 0, jitterMs = 0 } = this.line;
    if (loss === 1 || (clock.random() < loss && this.#mayLose(bytes))) return;
    for (let i = clock.random() < duplication ? 2 : 1; i > 0; i--) {
      clock.later(() => arrive(Buffer.from(bytes)), delayMs + clock.random() * jitterMs);
    }
  }

  #mayLose(bytes: Buffer): boolean {
    const message = decodeMessage(bytes);
    if (typeof message === "string" || message.class === "indication") return true;
    const key = `${message.class === "request"} ${message.transactionId.toString("hex")}`;
    const lost = (this.#lost.get(key) ?? 0) + 1;
    this.#lost.set(key, lost);
    return lost <= MAX_LOST;
  }
}
