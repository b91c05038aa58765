import { once } from "node:events";
import {
  decodeServerMessage,
  decodeSignalFrame,
  encodeClientMessage,
  encodeSignalFrame,
  registrationPayload,
  type SignalClientMessage,
  type SignalServerMessage,
} from "@awl/wire";
import { WebSocket } from "ws";
import type { Key } from "../signal/crowd.test-support.js";

/** A plain WebSocket that speaks signalling. What comes waits until it is asked for. */
export class TestClient {
  readonly webSocket: WebSocket;
  /** Code and reason. */
  readonly closed: Promise<[number, string]>;
  challenge: Uint8Array = new Uint8Array();
  readonly #arrived: (SignalServerMessage | { type: "frame"; link: number; data: string })[] = [];
  #onArrival: () => void = () => {};

  static async open(url: string): Promise<TestClient> {
    const client = new TestClient(url);
    client.challenge = (await client.next("welcome")).challenge;
    return client;
  }

  constructor(url: string) {
    this.webSocket = new WebSocket(url, { perMessageDeflate: false });
    this.webSocket.on("message", (data, isBinary) => {
      this.#arrived.push(isBinary ? frameOf(data as Buffer) : messageOf(data.toString()));
      this.#onArrival();
    });
    this.closed = once(this.webSocket, "close").then(([code, reason]) => [code, reason.toString()]);
    this.webSocket.on("error", () => {});
  }

  say(message: SignalClientMessage): void {
    this.webSocket.send(encodeClientMessage(message));
  }

  frame(link: number, data: string | Buffer): void {
    this.webSocket.send(encodeSignalFrame(link, Buffer.from(data)));
  }

  async register({ key, room, sign }: Key): Promise<void> {
    this.say({ type: "register", version: 1, key, signature: sign(registrationPayload(this.challenge, room)) });
    await this.next("registered");
  }

  /** Knocks at a listener's room; the numbers that the two have for the link. */
  async link(listener: TestClient, room: string): Promise<[number, number]> {
    this.say({ type: "knock", version: 1, room });
    return [(await this.next("linked")).link, (await listener.next("knocked")).link];
  }

  async nextFrame(): Promise<{ link: number; data: string }> {
    const { link, data } = (await this.#next("frame")) as { link: number; data: string };
    return { link, data };
  }

  /** The next that comes, which must be of this type. */
  async next<T extends SignalServerMessage["type"]>(type: T): Promise<SignalServerMessage & { type: T }> {
    return (await this.#next(type)) as SignalServerMessage & { type: T };
  }

  async #next(type: string): Promise<unknown> {
    while (this.#arrived.length === 0) {
      await new Promise<void>((resolve) => {
        this.#onArrival = resolve;
      });
    }
    const arrived = this.#arrived.shift();
    if (arrived?.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(arrived)}`);
    return arrived;
  }
}

function frameOf(data: Buffer) {
  const frame = decodeSignalFrame(data);
  if (typeof frame === "string") throw new Error(frame);
  return { type: "frame" as const, link: frame.link, data: frame.data.toString() };
}

function messageOf(text: string): SignalServerMessage {
  const message = decodeServerMessage(text);
  if (typeof message === "string") throw new Error(`${message}: ${text}`);
  return message;
}
