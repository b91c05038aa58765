import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Endpoint, StreamFramer } from "@awl/wire";

/** On a line that is slower than what is sent, datagrams are lost, as on any other line, and not late by seconds. */
const MAX_WAITING_BYTES = 128 * 1_024;

/** RFC 8489 section 5: both bits are clear in requests, of which there are few, and which are not repeated. */
const CLASS_BITS = 0xc110;

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

  /** `secureHost`: over TLS, to a server that proves this name. */
  constructor({ address, port }: Endpoint, secureHost: string | undefined, handlers: StreamHandlers) {
    this.#handlers = handlers;
    const framer = new StreamFramer();
    const servername = secureHost === undefined || isIP(secureHost) ? undefined : secureHost;
    this.#socket =
      secureHost === undefined
        ? connect({ host: address, port, noDelay: true })
        : connectTls({ host: address, port, ...(servername !== undefined && { servername }) }).setNoDelay(true);
    this.#socket.once(secureHost === undefined ? "connect" : "secureConnect", () => this.#isOver || handlers.onOpened());
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
