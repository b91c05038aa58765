import { EventEmitter } from "node:events";
import { addAbortSignal } from "node:stream";
import { PeerError } from "../errors.js";
import type { Stream } from "../transport/stream.js";
import { Transport } from "../transport/transport.js";
import type { CloseReason, PathInfo, TransportEvent, TransportOptions, TransportRole, TransportStats } from "../transport/transport-io.js";
import { PeerStream } from "./peer-stream.js";

export interface PeerConnectionOptions extends Omit<TransportOptions, "role" | "random"> {
  readonly role: TransportRole;
  /** Sends a packet, as one datagram. Its memory is used again after the call. */
  readonly send: (packet: Uint8Array) => void;
}

export interface PeerConnectionEvents {
  /** The peer opened a stream. Without a listener it is refused. */
  stream: [PeerStream];
  datagram: [Uint8Array];
  /** The last event: all streams have failed that had not ended. */
  close: [CloseReason];
}

/** Streams and datagrams between two peers, over whatever carries packets: the thin driver of a {@link Transport}. */
export class PeerConnection extends EventEmitter<PeerConnectionEvents> {
  readonly #transport: Transport;
  readonly #send: (packet: Uint8Array) => void;
  readonly #streams = new Map<Stream, PeerStream>();
  /** Who waits for the peer to allow more streams. */
  readonly #opening: { open: () => void; fail: (error: PeerError) => void }[] = [];
  #closed: CloseReason | undefined;
  #isWoken = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer goes off. */
  #timerAt = Number.POSITIVE_INFINITY;

  constructor({ role, send, ...options }: PeerConnectionOptions) {
    super();
    this.#send = send;
    this.#transport = new Transport(performance.now(), { ...options, role, random: Math.random });
  }

  /** A packet of the peer's arrived, authenticated, in memory of its own. */
  receive(packet: Uint8Array): void {
    this.#transport.receive(performance.now(), packet);
    this.#wake();
  }

  /** There is a path, or another one. Nothing is sent before the first. */
  changePath(path: PathInfo): void {
    this.#transport.changePath(performance.now(), path);
    this.#wake();
  }

  /** The path is dead: nothing is sent until `changePath`. */
  losePath(): void {
    this.#transport.losePath();
    this.#wake();
  }

  /**
   * Opens a stream; waits while the peer allows no more. The peer hears of it with its first byte, or its end.
   *
   * `signal`: gives up waiting, and later the stream.
   *
   * @throws {PeerError} `connection-closed`, `aborted`
   */
  async open({ signal }: { signal?: AbortSignal } = {}): Promise<PeerStream> {
    let stream = this.#transport.open();
    while (!stream) {
      await this.#untilOpenable(signal);
      stream = this.#transport.open();
    }
    if (signal?.aborted) throw aborted();
    const opened = this.#adopt(stream);
    return signal ? addAbortSignal(signal, opened) : opened;
  }

  /** Sends bytes once, in one packet. @returns whether they were taken: not if they are too long, or too many wait already */
  sendDatagram(bytes: Uint8Array): boolean {
    const taken = this.#transport.sendDatagram(bytes);
    this.#wake();
    return taken;
  }

  /** The longest datagram that the path carries now, bytes. */
  get maxDatagram(): number {
    return this.#transport.maxDatagram;
  }

  get stats(): TransportStats {
    return this.#transport.stats;
  }

  /** Ends everything at once; what has not `finish`ed may be lost. */
  close(code = 0, text = ""): void {
    this.#transport.close(performance.now(), code, text);
    this.#flush();
  }

  #untilOpenable(signal: AbortSignal | undefined): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      if (this.#closed) return reject(closedBy(this.#closed));
      if (signal?.aborted) return reject(aborted());
      const settle = (end: () => void) => () => {
        signal?.removeEventListener("abort", abort);
        end();
      };
      const waiting = { open: settle(resolve), fail: (error: PeerError) => settle(() => reject(error))() };
      const abort = () => {
        this.#opening.splice(this.#opening.indexOf(waiting), 1);
        waiting.fail(aborted());
      };
      signal?.addEventListener("abort", abort);
      this.#opening.push(waiting);
    });
  }

  #adopt(stream: Stream): PeerStream {
    const adopted = new PeerStream(stream, () => this.#wake());
    this.#streams.set(stream, adopted);
    adopted.once("close", () => this.#streams.delete(stream));
    return adopted;
  }

  /** What is done in one go is sent in one go. */
  #wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#isWoken = false;
    this.#obey();
    const now = performance.now();
    for (let packet = this.#transport.poll(now); packet; packet = this.#transport.poll(now)) this.#send(packet);
    this.#obey();
    this.#setTimer(now);
  }

  #setTimer(now: number): void {
    const { deadline } = this.#transport;
    if (deadline >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Number.POSITIVE_INFINITY;
        // Behind the poll phase: after a stall, what waits in the sockets is read before its absence is judged.
        setImmediate(() => this.#flush());
      },
      Math.max(0, deadline - now),
    );
    // What is left to do is to repeat a goodbye, if it is asked for.
    if (this.#closed) this.#timer.unref();
  }

  #obey(): void {
    for (const event of this.#transport.takeEvents()) this.#handle(event);
  }

  #handle(event: TransportEvent): void {
    switch (event.type) {
      case "opened":
        return this.#offer(event.stream);
      case "readable":
        return this.#streams.get(event.stream)?.onReadable();
      case "writable":
        return this.#streams.get(event.stream)?.onWritable();
      case "finished":
        return this.#streams.get(event.stream)?.onFinished();
      case "reset":
        return this.#streams.get(event.stream)?.onReset(event.code);
      case "stopped":
        return this.#streams.get(event.stream)?.onStopped(event.code);
      case "openable":
        for (const { open } of this.#opening.splice(0)) open();
        return;
      case "datagram":
        return void this.emit("datagram", event.bytes);
      case "closed":
        return this.#end(event);
      case "drained":
        clearTimeout(this.#timer);
    }
  }

  #offer(stream: Stream): void {
    if (!this.emit("stream", this.#adopt(stream))) this.#streams.get(stream)?.destroy();
  }

  #end({ by, code, applicationCode, text }: CloseReason): void {
    const reason = { by, code, applicationCode, text };
    this.#closed = reason;
    for (const stream of this.#streams.values()) stream.destroy(closedBy(reason));
    for (const { fail } of this.#opening.splice(0)) fail(closedBy(reason));
    this.emit("close", reason);
  }
}

function closedBy({ by, code, applicationCode, text }: CloseReason): PeerError {
  const who = by === "us" ? "this side" : "the other side";
  return new PeerError("connection-closed", `${who} closed the connection (${code})${text && `: ${text}`}`, applicationCode);
}

function aborted(): PeerError {
  return new PeerError("aborted", "the caller gave up");
}
