import type { TransportCode } from "./close-code.js";
import type { ConnectionWindow } from "./connection-window.js";
import type { ReceiveWindow } from "./flow-control.js";
import { writeControl } from "./frame-encode.js";
import { FrameType } from "./frame-type.js";
import type { Outbox } from "./outbox.js";
import type { PacketWriter } from "./packet-writer.js";
import { Reassembly } from "./reassembly.js";
import { type FrameSource, SentFrame, type SentPacket } from "./sent-packet.js";

/** Who hears of a stream's receiving side. */
export interface ReceiveListener {
  /** There is something to take, or the end was reached. Told once, until `take` had nothing. */
  readable(): void;
  /** The peer gave up sending. */
  resetByPeer(code: number): void;
  /** All was taken or discarded. Nothing follows. */
  receiveDone(): void;
}

/** The receiving side of a stream: RFC 9000 section 3.2. */
export class ReceiveStream implements FrameSource {
  readonly id: number;
  readonly #outbox: Outbox;
  readonly #window: ReceiveWindow;
  readonly #connection: ConnectionWindow;
  readonly #listener: ReceiveListener;
  readonly #reassembly = new Reassembly();
  /** Up to here the peer has sent. */
  #highest = 0;
  #finalSize: number | undefined;
  /** Of what was received, this was taken or discarded. */
  #consumed = 0;
  #stopCode: number | undefined;
  #told = false;
  #done = false;

  constructor(id: number, window: ReceiveWindow, connection: ConnectionWindow, outbox: Outbox, listener: ReceiveListener) {
    this.id = id;
    this.#window = window;
    this.#connection = connection;
    this.#outbox = outbox;
    this.#listener = listener;
  }

  get isDone(): boolean {
    return this.#done;
  }

  /** All of it was taken; the peer has sent no more. */
  get isEnded(): boolean {
    return this.#finalSize === this.#reassembly.read;
  }

  /** A STREAM frame. @returns which rule it breaks, if one */
  receive(offset: number, data: Uint8Array, fin: boolean): TransportCode | undefined {
    const end = offset + data.length;
    const fault = this.#grow(end, fin ? end : undefined);
    if (fault || this.#done) return fault;
    if (this.#stopCode !== undefined) return this.#discard();
    this.#reassembly.insert(offset, data);
    if (this.#reassembly.readable > 0 || this.isEnded) this.#tell();
    return undefined;
  }

  /** A RESET_STREAM frame: what was not taken yet is discarded. @returns which rule it breaks, if one */
  reset(code: number, finalSize: number): TransportCode | undefined {
    const fault = this.#grow(finalSize, finalSize);
    if (fault || this.#done) return fault;
    const isNews = this.#stopCode === undefined;
    this.#discard();
    if (isNews) this.#listener.resetByPeer(code);
    return undefined;
  }

  /** The next bytes, in memory of their own; `undefined`: not there yet, or the end. */
  take(): Buffer | undefined {
    const bytes = this.#done ? undefined : this.#reassembly.take();
    if (bytes) this.#consume(bytes.length);
    else this.#told = false;
    if (this.isEnded) this.#finish();
    return bytes;
  }

  /** RFC 9000 section 19.5: nothing more is wanted of it. */
  stop(code: number): void {
    if (this.#done || this.#stopCode !== undefined) return;
    this.#stopCode = code;
    if (this.#finalSize === undefined) this.#outbox.say(this);
    this.#discard();
  }

  /** STOP_SENDING, or MAX_STREAM_DATA, whatever is of use still. */
  write(writer: PacketWriter, packet: SentPacket): boolean {
    if (this.#done || this.#finalSize !== undefined) return true;
    const type = this.#stopCode === undefined ? FrameType.MaxStreamData : FrameType.StopSending;
    writeControl(writer, type, this.id, this.#stopCode ?? this.#window.limit);
    packet.frames.push(new SentFrame(this, type));
    return true;
  }

  delivered(): void {}

  lost({ type }: SentFrame): void {
    const isStale = type === FrameType.MaxStreamData && this.#stopCode !== undefined;
    if (!isStale && !this.#done) this.#outbox.say(this);
  }

  /** RFC 9000 sections 4.1 and 4.5: within both windows, and one final size. */
  #grow(end: number, finalSize: number | undefined): TransportCode | undefined {
    if (this.#finalSize !== undefined && (end > this.#finalSize || (finalSize ?? this.#finalSize) !== this.#finalSize)) return "final-size";
    if (finalSize !== undefined && finalSize < this.#highest) return "final-size";
    if (end > this.#window.limit) return "flow-control";
    if (end > this.#highest) {
      if (!this.#connection.receive(end - this.#highest)) return "flow-control";
      this.#highest = end;
    }
    this.#finalSize ??= finalSize;
    return undefined;
  }

  #consume(bytes: number): void {
    this.#consumed += bytes;
    this.#connection.consume(bytes);
    if (this.#window.consume(bytes) && this.#finalSize === undefined && this.#stopCode === undefined) this.#outbox.say(this);
  }

  #discard(): undefined {
    this.#reassembly.clear();
    this.#consume(this.#highest - this.#consumed);
    if (this.#finalSize !== undefined) this.#finish();
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#listener.readable();
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#listener.receiveDone();
  }
}
