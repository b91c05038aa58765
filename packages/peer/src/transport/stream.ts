import type { ReceiveListener, ReceiveStream } from "./receive-stream.js";
import type { SendListener, SendStream } from "./send-stream.js";
import type { TransportEvent } from "./transport-io.js";

/** A bidirectional stream as the application sees it. After a call, `poll` may have packets. */
export class Stream implements SendListener, ReceiveListener {
  readonly id: number;
  readonly #emit: (event: TransportEvent) => void;
  readonly #closed: (stream: Stream) => void;
  #sending: SendStream | undefined;
  #receiving: ReceiveStream | undefined;

  constructor(id: number, emit: (event: TransportEvent) => void, closed: (stream: Stream) => void) {
    this.id = id;
    this.#emit = emit;
    this.#closed = closed;
  }

  /** Gives it its two sides, which report to it. */
  attach(sending: SendStream, receiving: ReceiveStream): this {
    this.#sending = sending;
    this.#receiving = receiving;
    return this;
  }

  /** Takes as many bytes as there is room for, by copying them. @returns how many; fewer than given: the event `writable` follows */
  write(bytes: Uint8Array): number {
    return this.#sending?.accept(bytes) ?? 0;
  }

  /** Nothing more will be written. */
  end(): void {
    this.#sending?.end();
  }

  /** Gives up sending: what the peer did not take yet is lost to it. */
  reset(code: number): void {
    this.#sending?.reset(code);
  }

  /** The next bytes, in memory of their own; `undefined`: nothing yet, or, if it `isReadEnded`, never again. */
  read(): Buffer | undefined {
    return this.#receiving?.take();
  }

  /** All that the peer sent was read, and it sends no more. */
  get isReadEnded(): boolean {
    return this.#receiving?.isEnded ?? false;
  }

  /** Nothing more is wanted of what the peer sends. */
  stop(code: number): void {
    this.#receiving?.stop(code);
  }

  writable(): void {
    this.#emit({ type: "writable", stream: this });
  }

  readable(): void {
    this.#emit({ type: "readable", stream: this });
  }

  /** The peer's RESET_STREAM was taken. */
  resetByPeer(code: number): void {
    this.#emit({ type: "reset", stream: this, code });
  }

  sendDone(wasReset: boolean): void {
    if (!wasReset) this.#emit({ type: "finished", stream: this });
    this.#closeIfDone();
  }

  receiveDone(): void {
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#sending?.isDone && this.#receiving?.isDone) this.#closed(this);
  }
}
