import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Endpoint, StreamFramer } from "@awl/wire";

/** On a line that is slower than what is sent, datagrams are lost, as on any other line, and not late by seconds. */
const MAX_WAITING_BYTES = 128 * 1_024;

/** RFC 8489 section 5: both bits are clear in requests, of which there are few, and which are not repeated. */
const CLASS_BITS = 0xc110;

/** TLS, to a server that proves this name or address. */
export interface StreamSecurity {
  readonly host: string;
  /** Certificates to trust, PEM. @default those of the system */
  readonly ca?: string;
}

export interface StreamHandlers {
  readonly onOpened: () => void;
  /** Called once, whether it was open or not; not after `close`. */
  readonly onLost: (text: string) => void;
  readonly onFrame: (frame: Buffer) => void;
}

/** One TCP or TLS connection to a TURN server. */
export class RelayStream {
  readonly #socket: Socket;
  readonly #handlers: StreamHandlers;
  #isOver = false;

  /** `security`: none for bare TCP. */
  constructor(server: Endpoint, security: StreamSecurity | undefined, handlers: StreamHandlers) {
    this.#handlers = handlers;
    const framer = new StreamFramer();
    this.#socket = security ? connectSecurely(server, security) : connect(server.port, server.address);
    this.#socket.setNoDelay(true);
    this.#socket.once(security ? "secureConnect" : "connect", () => this.#isOver || handlers.onOpened());
    this.#socket.on("data", (chunk: Buffer) => {
      const frames = framer.push(chunk);
      if (typeof frames === "string") return this.#lose("The relay sent what is no TURN.");
      for (const frame of frames) if (!this.#isOver) handlers.onFrame(frame);
    });
    this.#socket.on("error", ({ message }) => this.#lose(`The connection to the relay failed: ${message}.`));
    this.#socket.on("close", () => this.#lose("The relay ended the connection."));
  }

  send(bytes: Buffer): void {
    const isRequest = bytes.length >= 2 && (bytes.readUInt16BE(0) & CLASS_BITS) === 0;
    if (isRequest || this.#socket.writableLength < MAX_WAITING_BYTES) this.#socket.write(bytes);
  }

  /** What was sent before still leaves. */
  close(): void {
    this.#isOver = true;
    this.#socket.destroySoon();
  }

  #lose(text: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.destroy();
    this.#handlers.onLost(text);
  }
}

function connectSecurely({ address, port }: Endpoint, { host, ca }: StreamSecurity): Socket {
  // An address is no name to send, and is proven as the host that is connected to.
  return connectTls({ host: address, port, ...(!isIP(host) && { servername: host }), ...(ca !== undefined && { ca }) });
}
