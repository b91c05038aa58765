import { EventEmitter } from "node:events";
import {
  canonicalAddress,
  decodeServerMessage,
  decodeSignalFrame,
  type Endpoint,
  encodeClientMessage,
  encodeSignalFrame,
  MAX_SIGNAL_DATA,
  registrationPayload,
  roomOf,
  SIGNAL_ERRORS,
  SIGNAL_VERSION,
  type SignalErrorCode,
  type SignalServerMessage,
} from "@awl/wire";
import { type RawData, WebSocket } from "ws";
import type { Identity } from "../identity.js";
import { stunServers } from "../stun-servers.js";
import { SignalFailure } from "./signal-client-failure.js";
import { ConnectionLink, type SignalLink } from "./signal-client-link.js";
import type { RendezvousView, SignalTimings } from "./signal-client-options.js";

interface Events {
  /** Somebody knocked. Data may follow in the same turn of the event loop. */
  link: [SignalLink];
}

/** One connection to one rendezvous, for one registration or one knock. It is never repaired: when it has ended, it has ended. */
export class SignalConnection extends EventEmitter<Events> {
  readonly #url: string;
  readonly #timings: SignalTimings;
  readonly #webSocket: WebSocket;
  readonly #links = new Map<number, ConnectionLink>();
  readonly #silence: NodeJS.Timeout;
  /** Fulfilled when the connection has ended, with why it has. */
  readonly ended: Promise<SignalFailure>;
  #server: Endpoint | undefined;
  #welcome: (SignalServerMessage & { type: "welcome" }) | undefined;
  #awaited: Awaited | undefined;
  /** The link that was knocked for: the connection is for it alone, and ends with it. */
  #knocked: SignalLink | undefined;
  /** What the rendezvous said before it ends the connection. */
  #refusal: SignalFailure | undefined;
  /** Why it is about to end, as far as known. */
  #cause: SignalFailure | undefined;

  /**
   * Connects, and waits for the welcome.
   *
   * @throws {SignalFailure}
   */
  static async open(url: string, timings: SignalTimings, signal: AbortSignal): Promise<SignalConnection> {
    const connection = new SignalConnection(url, timings);
    const abort = () => connection.close();
    signal.addEventListener("abort", abort, { once: true });
    void connection.ended.then(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) abort();
    await connection.#answer((message) => message.type === "welcome");
    return connection;
  }

  private constructor(url: string, timings: SignalTimings) {
    super();
    this.#url = url;
    this.#timings = timings;
    this.#webSocket = new WebSocket(url, { perMessageDeflate: false, maxPayload: MAX_MESSAGE });
    this.#silence = setTimeout(() => this.#abandon("lost", "it has fallen silent"), timings.silenceMs);
    this.ended = new Promise((resolve) => {
      this.#webSocket.once("close", (_code, reason) => resolve(this.#end(reason.toString())));
    });
    this.#webSocket.once("upgrade", ({ socket: { remoteAddress, remotePort } }) => {
      if (remoteAddress !== undefined && remotePort !== undefined) {
        this.#server = { address: canonicalAddress(remoteAddress), port: remotePort };
      } else this.#abandon("lost", "the connection broke");
    });
    this.#webSocket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    this.#webSocket.on("ping", () => this.#silence.refresh());
    this.#webSocket.on("error", (error) => {
      this.#cause ??= new SignalFailure(url, "lost", reasonOf(error));
    });
  }

  get view(): RendezvousView {
    if (!this.#welcome || !this.#server) throw new Error("not welcomed yet");
    const { observed, stun, addresses } = this.#welcome;
    return { url: this.#url, observed, stun: stunServers(this.#server.address, addresses, stun) };
  }

  /** @throws {SignalFailure} */
  async register(identity: Identity): Promise<void> {
    const challenge = this.#welcome?.challenge;
    if (!challenge) throw new Error("not welcomed yet");
    const room = roomOf(identity.publicKey);
    const signature = identity.sign(registrationPayload(challenge, room));
    this.#send(encodeClientMessage({ type: "register", version: SIGNAL_VERSION, key: identity.publicKey, signature }));
    await this.#answer((message) => message.type === "registered" && message.room === room);
  }

  /** @throws {SignalFailure} */
  async knock(room: string): Promise<SignalLink> {
    this.#send(encodeClientMessage({ type: "knock", version: SIGNAL_VERSION, room }));
    await this.#answer((message) => message.type === "linked" && message.room === room);
    // Made when the message came: data may have come since, or the end.
    if (!this.#knocked) throw new Error("linked without a link");
    return this.#knocked;
  }

  /** Ends it, with all its links. */
  close(): void {
    this.#cause ??= new SignalFailure(this.#url, "closed", "closed");
    this.#endLinks("closed");
    if (this.#webSocket.readyState === WebSocket.CONNECTING) return this.#webSocket.terminate();
    this.#webSocket.close(1000);
    const patience = setTimeout(() => this.#webSocket.terminate(), CLOSE_MS);
    void this.ended.then(() => clearTimeout(patience));
  }

  /** Waits for a message that the rendezvous owes. One at a time. */
  #answer(is: (message: SignalServerMessage) => boolean): Promise<SignalServerMessage> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#abandon("lost", "it does not answer"), this.#timings.timeoutMs);
      const settle = () => {
        clearTimeout(timer);
        this.#awaited = undefined;
      };
      this.#awaited = {
        is,
        resolve: (message) => {
          settle();
          resolve(message);
        },
        reject: (failure) => {
          settle();
          reject(failure);
        },
      };
    });
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#cause) return;
    this.#silence.refresh();
    const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data as ArrayBuffer);
    if (isBinary) return this.#receiveFrame(bytes);
    const message = decodeServerMessage(bytes.toString());
    // A newer rendezvous may say more than we know.
    if (message === "unknown-type") return;
    if (message === "other-version") return this.#abandon(message, "it speaks another version of the signalling protocol");
    if (typeof message === "string") return this.#abandon("breach", "what it says is no signalling");
    this.#heed(message);
    if (this.#awaited?.is(message)) this.#awaited.resolve(message);
  }

  #receiveFrame(bytes: Buffer): void {
    const frame = decodeSignalFrame(bytes);
    if (typeof frame === "string") return this.#abandon("breach", "what it sends is no frame");
    // A link may have ended here that has not ended there yet.
    this.#links.get(frame.link)?.receive(frame.data);
  }

  #heed(message: SignalServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#welcome ??= message;
        return;
      case "linked":
        // It is nothing to us unless we knocked.
        if (this.#awaited?.is(message)) this.#knocked = this.#addLink(message.link, message.observed);
        return;
      case "knocked": {
        const link = this.#addLink(message.link, message.observed);
        if (link) this.emit("link", link);
        return;
      }
      case "unlinked":
        this.#links.get(message.link)?.ended(message.reason);
        return this.#forget(message.link);
      case "relay":
        return this.#links.get(message.link)?.relayed(message.relays);
      case "draining":
        this.#refusal = new SignalFailure(this.#url, "draining", "it is about to end");
        return;
      case "error": {
        const failure = new SignalFailure(this.#url, message.code, `${message.text} (${message.code})`);
        if (message.room !== undefined) this.#awaited?.reject(failure);
        else if (SIGNAL_ERRORS[message.code as SignalErrorCode] !== 0) this.#refusal = failure;
        return;
      }
    }
  }

  #addLink(number: number, observed: Endpoint): SignalLink | undefined {
    const say = (type: "unlink" | "admit") => {
      this.#send(encodeClientMessage({ type, link: number }));
      if (type === "unlink") this.#forget(number);
    };
    const link = new ConnectionLink(number, observed, (bytes) => this.#send(encodeSignalFrame(number, bytes)), say);
    if (this.#links.has(number)) {
      this.#abandon("breach", "it gives two links one number");
      return undefined;
    }
    if (this.#links.size >= MAX_LINKS) {
      say("unlink");
      return undefined;
    }
    this.#links.set(number, link);
    return link;
  }

  #forget(number: number): void {
    const link = this.#links.get(number);
    this.#links.delete(number);
    if (link && link === this.#knocked) this.close();
  }

  #send(data: string | Buffer): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    this.#webSocket.send(data, () => {});
    if (this.#webSocket.bufferedAmount > MAX_WAITING) this.#abandon("lost", "it does not read what is sent to it");
  }

  #abandon(code: string, message: string): void {
    this.#cause ??= new SignalFailure(this.#url, code, message);
    this.#endLinks("lost");
    this.#webSocket.terminate();
  }

  #end(reason: string): SignalFailure {
    clearTimeout(this.#silence);
    const named = /^[a-z][a-z-]+$/.test(reason) ? new SignalFailure(this.#url, reason, reason) : undefined;
    const failure = this.#cause ?? this.#refusal ?? named ?? new SignalFailure(this.#url, "lost", "the connection broke");
    this.#cause = failure;
    this.#awaited?.reject(failure);
    this.#endLinks("lost");
    return failure;
  }

  #endLinks(end: "closed" | "lost"): void {
    const links = [...this.#links.values()];
    this.#links.clear();
    for (const link of links) link.ended(end);
  }
}

interface Awaited {
  readonly is: (message: SignalServerMessage) => boolean;
  readonly resolve: (message: SignalServerMessage) => void;
  readonly reject: (failure: SignalFailure) => void;
}

/** The longest message to take, bytes. */
const MAX_MESSAGE = 2 * MAX_SIGNAL_DATA;
/** More than a rendezvous gives a room by default; a hostile one may announce as many as it likes. */
const MAX_LINKS = 1024;
/** What may wait to be sent, bytes. */
const MAX_WAITING = 4 * 1024 * 1024;
/** For the rendezvous to answer a close, milliseconds. */
const CLOSE_MS = 1000;

/** Node tells of several addresses' failures in one error without a message. */
function reasonOf(error: Error): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : "cannot connect";
}
