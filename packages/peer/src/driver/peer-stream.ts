import { Duplex } from "node:stream";
import { PeerError } from "../errors.js";
import type { Stream } from "../transport/stream.js";

/** What may wait in each direction before Node's own backpressure begins, bytes. The transport holds more. */
const HIGH_WATER_MARK = 65_536;

/** An error code that says nothing. */
const NO_CODE = 0;

/**
 * A stream between two peers, as Node knows streams: binary, both ways, each of which ends for itself.
 *
 * `finish` means that the peer's side has everything, the end included. `destroy` before both ends are reached gives the stream up,
 * and the peer's side fails with `stream-reset`.
 */
export class PeerStream extends Duplex {
  readonly #stream: Stream;
  readonly #wake: () => void;
  /** What the transport had no room for. */
  #unwritten: { readonly bytes: Uint8Array; readonly done: (error?: Error) => void } | undefined;
  #finishing: ((error?: Error) => void) | undefined;
  #isFinished = false;
  #wantsData = false;
  #stopped: PeerError | undefined;
  #resetCode = NO_CODE;

  /** `wake`: there may be something to send. */
  constructor(stream: Stream, wake: () => void) {
    super({ allowHalfOpen: true, highWaterMark: HIGH_WATER_MARK });
    this.#stream = stream;
    this.#wake = wake;
    // Whoever uses the stream hears of errors; if nobody does, a peer that gives it up is no reason to end the process.
    this.on("error", () => {});
  }

  /** The same number on both sides. */
  get id(): number {
    return this.#stream.id;
  }

  /** Gives the stream up in both directions. `code`: the application's own, for the peer's `applicationCode`. */
  reset(code: number): void {
    this.#resetCode = code;
    this.destroy();
  }

  /** The transport has data, or the end. */
  onReadable(): void {
    if (this.#wantsData && !this.destroyed) this._read();
  }

  /** The transport has room. */
  onWritable(): void {
    const unwritten = this.#unwritten;
    this.#unwritten = undefined;
    if (unwritten) this.#send(unwritten.bytes, unwritten.done);
  }

  /** Everything was acknowledged. */
  onFinished(): void {
    this.#isFinished = true;
    this.#finishing?.();
    this.#finishing = undefined;
  }

  /** The peer gave up sending. */
  onReset(code: number): void {
    this.destroy(new PeerError("stream-reset", `the other side gave the stream up, with code ${code}`, code));
  }

  /** The peer wants no more: what is written fails, what it sends can still be read. */
  onStopped(code: number): void {
    this.#stopped = new PeerError("stream-reset", `the other side wants no more of the stream, with code ${code}`, code);
    this.#failWriter(this.#stopped);
  }

  override _read(): void {
    this.#wantsData = true;
    for (let bytes = this.#stream.read(); bytes; bytes = this.#stream.read()) {
      if (this.push(bytes)) continue;
      this.#wantsData = false;
      break;
    }
    if (this.#wantsData && this.#stream.isReadEnded) {
      this.#wantsData = false;
      this.push(null);
    }
    // What was read opens the window.
    this.#wake();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#stopped) return done(this.#stopped);
    this.#send(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#stopped) return done(this.#stopped);
    this.#finishing = done;
    this.#stream.end();
    this.#wake();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#isFinished) this.#stream.reset(this.#resetCode);
    this.#stream.stop(this.#resetCode);
    this.#unwritten = undefined;
    this.#finishing = undefined;
    this.#wake();
    done(error);
  }

  #send(bytes: Uint8Array, done: (error?: Error) => void): void {
    const taken = this.#stream.write(bytes);
    this.#wake();
    if (taken === bytes.length) return done();
    this.#unwritten = { bytes: bytes.subarray(taken), done };
  }

  #failWriter(error: Error): void {
    const done = this.#unwritten?.done ?? this.#finishing;
    this.#unwritten = undefined;
    this.#finishing = undefined;
    done?.(error);
  }
}
