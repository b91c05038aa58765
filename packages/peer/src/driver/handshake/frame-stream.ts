import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { PeerError } from "../../errors.js";
import { encodeFrame, type Frame, type FrameKind, FrameReader } from "../../handshake/frame.js";

/** Who listens to a {@link FrameStream} at the moment. */
export interface FrameHandler {
  onFrame(frame: Frame): void;
  /** The last call. `undefined`: the stream ended without an error, though perhaps without a goodbye. */
  onEnd(error: Error | undefined): void;
}

/** How much may wait to be sent before the other side counts as gone, bytes. */
const MAX_BACKLOG = 4 * 1024 * 1024;

/** How long a closing stream may take to hand over what it still holds, milliseconds. */
const LINGER_MS = 1_000;

/** Frames inside TLS. */
export class FrameStream {
  handler: FrameHandler;
  readonly #tls: TLSSocket;
  readonly #carrier: Duplex;
  readonly #reader: FrameReader;
  #state: "open" | "closing" | "ended" = "open";

  /**
   * @param carrier the stream that carries this TLS
   * @param limit the longest frame to accept, bytes, until {@link limit} is set
   */
  constructor(tls: TLSSocket, carrier: Duplex, limit: number, handler: FrameHandler) {
    this.#tls = tls;
    this.#carrier = carrier;
    this.#reader = new FrameReader(limit);
    this.handler = handler;
    tls.on("data", (chunk: Buffer) => this.#receive(chunk));
    tls.on("error", (error) => this.#end(error));
    tls.on("end", () => this.#end(undefined));
    tls.on("close", () => this.#end(undefined));
  }

  set limit(bytes: number) {
    this.#reader.limit = bytes;
  }

  /** Nothing happens if the stream is closed already. */
  send(kind: FrameKind, payload: Uint8Array): void {
    const frame = encodeFrame(kind, payload);
    if (this.#state !== "open") return;
    this.#tls.write(frame);
    if (this.#tls.writableLength > MAX_BACKLOG) this.#end(new PeerError("channel-lost", "the other side does not read what is sent to it"));
  }

  /** Sends what is still to be sent, then ends. Nothing is received any more. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    const timer = setTimeout(() => this.#tls.destroy(), LINGER_MS).unref();
    this.#tls.once("close", () => clearTimeout(timer));
    this.#tls.end(() => this.#tls.destroy());
  }

  /** Ends at once. */
  destroy(): void {
    this.#end(undefined);
  }

  #receive(chunk: Buffer): void {
    if (this.#state !== "open") return;
    this.#reader.push(chunk);
    // What a frame is answered with may close the stream, or change the limit.
    while (this.#state === "open") {
      const frame = this.#reader.next();
      if (frame === undefined) return;
      if (typeof frame === "string") this.#end(new PeerError("channel-lost", `the other side breaks the format: ${frame}`));
      else this.handler.onFrame(frame);
    }
  }

  #end(error: Error | undefined): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#tls.destroy();
    // Why the stream beneath broke is known to it alone: TLS sees it end.
    this.handler.onEnd(this.#carrier.errored ?? error);
  }
}
