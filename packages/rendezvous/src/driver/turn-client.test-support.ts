import { createHmac, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import {
  type AttributeValue,
  ChannelNumber,
  decodeMessage,
  type Endpoint,
  ErrorCode,
  encodeChannelData,
  encodeMessage,
  longTermKey,
  Method,
  Nonce,
  Realm,
  RequestedTransport,
  StreamFramer,
  StunMessage,
  Username,
  XorPeerAddress,
  XorRelayedAddress,
} from "@awl/wire";

export type TurnTransport = "udp" | "tcp" | "tls";

/** A client on a real socket, with an operator's credential. */
export class TurnClient {
  readonly local: Endpoint;
  readonly #transport: TurnTransport;
  readonly #write: (bytes: Buffer) => void;
  readonly #close: () => void;
  readonly #username: string;
  readonly #password: string;
  readonly #messages: Buffer[] = [];
  #stream: Socket | undefined;
  #waiting: ((bytes: Buffer) => void) | undefined;
  #nonce = "";
  #onMessage: ((bytes: Buffer) => void) | undefined;
  #ids = 0;
  #discards = false;
  /** Fulfilled when the server has hung up; never with UDP. */
  closed: Promise<unknown> = new Promise(() => {});

  private constructor(transport: TurnTransport, local: Endpoint, secret: string, write: (bytes: Buffer) => void, close: () => void) {
    this.#transport = transport;
    this.local = local;
    this.#write = write;
    this.#close = close;
    this.#username = `${Math.trunc(Date.now() / 1000) + 600}:ada`;
    this.#password = createHmac("sha1", secret).update(this.#username).digest("base64");
  }

  static async open(transport: TurnTransport, { address, port }: Endpoint, secret: string): Promise<TurnClient> {
    if (transport === "udp") {
      const socket = createSocket(address.includes(":") ? "udp6" : "udp4").bind(0, address);
      await once(socket, "listening");
      const write = (bytes: Buffer): void => socket.send(bytes, port, address);
      const client = new TurnClient(transport, socket.address(), secret, write, () => socket.close());
      socket.on("message", (bytes) => client.#take(bytes));
      return client;
    }
    const stream: Socket = transport === "tls" ? connectTls({ host: address, port, rejectUnauthorized: false }) : connect(port, address);
    await once(stream, transport === "tls" ? "secureConnect" : "connect");
    const local = { address: stream.localAddress ?? "", port: stream.localPort ?? 0 };
    const client = new TurnClient(
      transport,
      local,
      secret,
      (bytes) => void stream.write(bytes),
      () => stream.destroy(),
    );
    const framer = new StreamFramer();
    stream.setNoDelay(true);
    stream.on("error", () => {});
    stream.on("data", (chunk) => {
      const frames = framer.push(chunk);
      if (Array.isArray(frames)) for (const frame of frames) client.#take(frame);
    });
    client.closed = new Promise((resolve) => stream.on("close", resolve));
    client.#stream = stream;
    return client;
  }

  write(bytes: Buffer): void {
    this.#write(bytes);
  }

  /** The next message, in the order of arrival. */
  receive(): Promise<Buffer> {
    const message = this.#messages.shift();
    return message ? Promise.resolve(message) : new Promise((resolve) => (this.#waiting = resolve));
  }

  async ask(method: number, attributes: readonly AttributeValue[] = []): Promise<StunMessage> {
    this.#write(this.request(method, attributes));
    const answer = decodeMessage(await this.receive());
    if (!(answer instanceof StunMessage)) throw new Error(answer);
    const code = answer.get(ErrorCode)?.code;
    if (code !== 401 && code !== 438) return answer;
    if (this.#nonce === answer.get(Nonce)) throw new Error(`refused: ${code}`);
    this.#nonce = answer.get(Nonce) ?? "";
    return this.ask(method, attributes);
  }

  request(method: number, attributes: readonly AttributeValue[] = []): Buffer {
    const transactionId = Buffer.alloc(12);
    transactionId.writeUInt32BE(this.#ids++);
    if (this.#nonce === "") return encodeMessage({ method, class: "request", transactionId, attributes });
    const credentials = [Username.of(this.#username), Realm.of("awl"), Nonce.of(this.#nonce)];
    const key = longTermKey(this.#username, "awl", this.#password);
    return encodeMessage({
      method,
      class: "request",
      transactionId,
      attributes: [...attributes, ...credentials],
      integrity: [{ algorithm: "sha1", key }],
    });
  }

  async allocate(attributes: readonly AttributeValue[] = []): Promise<Endpoint> {
    const answer = await this.ask(Method.Allocate, [RequestedTransport.of(17), ...attributes]);
    const relayed = answer.get(XorRelayedAddress);
    if (!relayed) throw new Error(`not allocated: ${answer.get(ErrorCode)?.code}`);
    return relayed;
  }

  /** 0, or the error's code. */
  async bind(channel: number, peer: Endpoint): Promise<number> {
    const answer = await this.ask(Method.ChannelBind, [ChannelNumber.of(channel), XorPeerAddress.of(peer)]);
    return answer.get(ErrorCode)?.code ?? 0;
  }

  sendOn(channel: number, data: string): void {
    this.#write(encodeChannelData(channel, Buffer.from(data), this.#transport !== "udp"));
  }

  get credential() {
    return { username: this.#username, password: this.#password, realm: "awl", nonce: this.#nonce };
  }

  /** Whether the server still reads our messages one by one: it answers one more then, and soon. */
  inStep(): Promise<boolean> {
    return new Promise((resolve) => {
      const marker = randomBytes(12);
      const patience = setTimeout(() => resolve(false), 100);
      void this.closed.then(() => resolve(false));
      this.#onMessage = (bytes) => {
        if (!marker.equals(bytes.subarray(8, 20))) return;
        clearTimeout(patience);
        resolve(true);
      };
      this.#write(encodeMessage({ method: Method.Binding, class: "request", transactionId: marker }));
    });
  }

  /** Forgets what it was sent, from now on. */
  discard(): void {
    this.#discards = true;
  }

  /** Reads no more. */
  pause(): void {
    this.#stream?.pause();
  }

  close(): void {
    this.#close();
  }

  #take(bytes: Buffer): void {
    this.#onMessage?.(bytes);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(bytes);
    else if (!this.#discards) this.#messages.push(bytes);
  }
}
