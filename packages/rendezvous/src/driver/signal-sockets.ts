import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { canonicalAddress, type Endpoint, SIGNAL_ERRORS } from "@awl/wire";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { ClientId } from "../signal/client.js";
import type { SignalCounters } from "../signal/counters.js";
import type { SignalLimits } from "../signal/limits.js";
import type { LobbySize } from "../signal/lobby.js";
import type { SignalInput, SignalOutput, SignalServerOptions } from "../signal/signal-io.js";
import { SignalServer } from "../signal/signal-server.js";
import type { TcpServer } from "./tcp.js";

/** Numbers since the start, and how much there is at the moment. */
export type SignalStatistics = Readonly<SignalCounters> & LobbySize & { /** Connections that answered no ping. */ readonly silent: number };

export interface SignalSocketsOptions {
  readonly limits: SignalLimits;
  /** Milliseconds from ping to ping. */
  readonly pingMs: number;
  readonly stunPort: number;
  /** As the machine's. */
  readonly addresses: readonly string[];
  /** As the machine's. */
  readonly relays?: SignalServerOptions["relays"];
}

/** The driver of signalling: WebSockets, a timer, and pings around the machine. */
export class SignalSockets {
  readonly #options: SignalSocketsOptions;
  readonly #machine: SignalServer;
  readonly #webSockets: WebSocketServer;
  readonly #connections = new Map<ClientId, Connection>();
  readonly #servers: TcpServer[] = [];
  readonly #pings: NodeJS.Timeout;
  #nextClient: ClientId = 0;
  #timer: NodeJS.Timeout | undefined;
  #silent = 0;
  /** Called when the last connection has gone. */
  #onEmpty: (() => void) | undefined;

  constructor(options: SignalSocketsOptions) {
    this.#options = options;
    const { limits, stunPort, addresses, relays } = options;
    this.#machine = new SignalServer({ limits, stunPort, addresses, ...(relays && { relays }), random: randomBytes });
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      // What is too long is named by the machine; what is longer than this is not even waited for.
      maxPayload: 2 * options.limits.messageBytes,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_CHUNKS,
      closeTimeout: CLOSE_MS,
    } as Limited);
    this.#pings = setInterval(() => this.#ping(), options.pingMs);
  }

  /** Takes the WebSockets of this server. */
  serve(http: TcpServer): void {
    this.#servers.push(http);
    http.onUpgrade(this.#options.limits.clients + MAX_LEAVING, (request, stream, head) => this.#upgrade(request, stream, head));
  }

  statistics(): SignalStatistics {
    const { forwarded, errors, ...counters } = this.#machine.counters;
    return { ...counters, forwarded: { ...forwarded }, errors: { ...errors }, ...this.#machine.size, silent: this.#silent };
  }

  /** Accepts no more connections, tells the clients to go elsewhere, and gives those with links a moment to finish. */
  async close(): Promise<void> {
    for (const server of this.#servers) void server.stop();
    this.#feed({ type: "drain" });
    await this.#empty(DRAIN_MS);
    for (const { webSocket } of this.#connections.values()) webSocket.close(SIGNAL_ERRORS.draining, "draining");
    await this.#empty(LAST_WORDS_MS);
    for (const { webSocket } of this.#connections.values()) webSocket.terminate();
    clearInterval(this.#pings);
    clearTimeout(this.#timer);
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const observed = remoteEndpoint(request);
    const path = request.url?.split("?")[0];
    if (!observed || (path !== "/" && path !== "/signal")) return refuse(stream);
    this.#webSockets.handleUpgrade(request, stream, head, (webSocket) => this.#connect(webSocket, observed));
  }

  #connect(webSocket: WebSocket, observed: Endpoint): void {
    const client = this.#nextClient++;
    const connection: Connection = { webSocket, answered: true, waiting: false };
    this.#connections.set(client, connection);
    webSocket.on("message", (data, isBinary) => {
      const bytes = bufferOf(data);
      this.#feed(isBinary ? { type: "binary", client, bytes } : { type: "text", client, text: bytes.toString() });
    });
    webSocket.on("ping", ({ length }) => this.#feed({ type: "control", client, bytes: length }));
    webSocket.on("pong", ({ length }) => {
      connection.answered = true;
      this.#feed({ type: "control", client, bytes: length });
    });
    // What breaks the WebSocket protocol: ws says so in its close code, and a close event follows.
    webSocket.on("error", () => {});
    webSocket.on("close", () => {
      this.#connections.delete(client);
      this.#feed({ type: "disconnected", client });
      if (this.#connections.size === 0) this.#onEmpty?.();
    });
    this.#feed({ type: "connected", client, observed });
  }

  #feed(input: SignalInput): void {
    for (const output of this.#machine.handle(performance.now(), input)) this.#perform(output);
  }

  #perform(output: SignalOutput): void {
    if (output.type === "wake") {
      clearTimeout(this.#timer);
      const delay = Math.max(1, output.at - performance.now());
      this.#timer = setTimeout(() => this.#feed({ type: "tick" }), Math.min(delay, MAX_DELAY));
      return;
    }
    const connection = this.#connections.get(output.client);
    if (!connection) return;
    if (output.type === "close") connection.webSocket.close(output.code, output.reason);
    else this.#send(output.client, connection, output.data);
  }

  #send(client: ClientId, connection: Connection, data: string | Buffer): void {
    const report = (): void => this.#reportWaiting(client, connection);
    connection.webSocket.send(data, report);
    report();
  }

  /** What does not leave at once is reported, and reported again as it leaves. */
  #reportWaiting(client: ClientId, connection: Connection): void {
    const bytes = connection.webSocket.bufferedAmount;
    const waiting = bytes >= WORTH_REPORTING;
    if (!waiting && !connection.waiting) return;
    connection.waiting = waiting;
    this.#feed({ type: "waiting", client, bytes });
  }

  #ping(): void {
    for (const connection of this.#connections.values()) {
      if (connection.answered) {
        connection.answered = false;
        connection.webSocket.ping();
      } else {
        this.#silent++;
        connection.webSocket.terminate();
      }
    }
  }

  /** Waits until nobody is connected, but not longer than so many milliseconds. */
  #empty(patienceMs: number): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const patience = setTimeout(resolve, patienceMs);
      this.#onEmpty = () => {
        clearTimeout(patience);
        resolve();
      };
    });
  }
}

interface Connection {
  readonly webSocket: WebSocket;
  /** Whether the last ping was. */
  answered: boolean;
  /** Whether the machine was told that bytes wait to be sent. */
  waiting: boolean;
}

/** Options of ws that its types do not have. */
type Limited = ConstructorParameters<typeof WebSocketServer>[0] & { readonly closeTimeout: number };

/** Of one message. Honest clients send it whole. */
const MAX_FRAGMENTS = 64;
/** Of one message, as TCP delivers it. */
const MAX_CHUNKS = 1024;
/** How long a client has to answer a close, milliseconds. */
const CLOSE_MS = 1000;
/** Connections of an address that may be on their way out. */
const MAX_LEAVING = 512;
/** At the end of the process: for links to be finished with, then for the closes to be answered, milliseconds; with the rest, below 2 s. */
const DRAIN_MS = 1000;
const LAST_WORDS_MS = 250;
/** Milliseconds: node takes a longer delay for none at all. A tick too early does no harm. */
const MAX_DELAY = 2 ** 31 - 1;
/** Bytes. Most messages leave at once. */
const WORTH_REPORTING = 8192;

function remoteEndpoint({ socket }: IncomingMessage): Endpoint | undefined {
  const { remoteAddress, remotePort } = socket;
  // Both are undefined if the client is gone already.
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return { address: canonicalAddress(remoteAddress), port: remotePort };
}

function refuse(stream: Duplex): void {
  stream.on("error", () => stream.destroy());
  stream.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", () => stream.destroy());
}

/** ws hands out Buffers, unless told otherwise. */
function bufferOf(data: RawData): Buffer {
  return Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
