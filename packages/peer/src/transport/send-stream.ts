import { BlockBuffer } from "./block-buffer.js";
import { streamHeaderLength, writeControl, writeStreamHeader } from "./frame-encode.js";
import { FrameType } from "./frame-type.js";
import type { Outbox } from "./outbox.js";
import type { PacketWriter } from "./packet-writer.js";
import { RangeSet } from "./range-set.js";
import type { BudgetHolder, SendBudget } from "./send-budget.js";
import { type FrameSource, SentFrame, type SentPacket } from "./sent-packet.js";

/** Who hears of a stream's sending side. */
export interface SendListener {
  writable(): void;
  /** All is acknowledged, the end of the stream too; or the reset is. Nothing follows. */
  sendDone(wasReset: boolean): void;
}

/** The sending side of a stream: RFC 9000 section 3.1. */
export class SendStream implements FrameSource, BudgetHolder {
  readonly id: number;
  readonly #outbox: Outbox;
  readonly #budget: SendBudget;
  readonly #listener: SendListener;
  readonly #blocks = new BlockBuffer();
  readonly #acked = new RangeSet();
  readonly #lost = new RangeSet();
  /** MAX_STREAM_DATA. */
  #limit: number;
  /** All before it is acknowledged. */
  #base = 0;
  /** All before it was sent once. */
  #sent = 0;
  #written = 0;
  #fin: "none" | "pending" | "sent" | "acked" = "none";
  #resetCode: number | undefined;
  #done = false;

  constructor(id: number, limit: number, outbox: Outbox, budget: SendBudget, listener: SendListener) {
    this.id = id;
    this.#limit = limit;
    this.#outbox = outbox;
    this.#budget = budget;
    this.#listener = listener;
  }

  get isDone(): boolean {
    return this.#done;
  }

  get isReset(): boolean {
    return this.#resetCode !== undefined;
  }

  /** Nothing more can be written. */
  get isEnded(): boolean {
    return this.#fin !== "none" || this.isReset;
  }

  get held(): number {
    return this.#written - this.#base;
  }

  get hasWork(): boolean {
    if (this.isReset) return false;
    if (!this.#lost.isEmpty) return true;
    if (this.#sent === this.#written) return this.#fin === "pending";
    return this.#sent < this.#limit && this.#outbox.credit.left > 0;
  }

  get waitsForCredit(): boolean {
    return !this.isReset && this.#sent < Math.min(this.#written, this.#limit);
  }

  /** Takes as many bytes as there is room for, by copying them. @returns how many; fewer than given: `writable` follows */
  accept(bytes: Uint8Array): number {
    if (this.isEnded) return 0;
    const count = this.#budget.take(this, bytes.length);
    this.#blocks.write(this.#written, count === bytes.length ? bytes : bytes.subarray(0, count));
    this.#written += count;
    if (count > 0) this.#outbox.queue(this);
    return count;
  }

  end(): void {
    if (this.isEnded) return;
    this.#fin = "pending";
    this.#budget.forget(this);
    this.#outbox.queue(this);
  }

  /** RFC 9000 section 19.4. Does nothing once all is acknowledged. */
  reset(code: number): void {
    if (this.#done || this.isReset) return;
    this.#resetCode = code;
    this.#outbox.drop(this);
    this.#outbox.say(this);
    this.discard();
  }

  /** Frees all memory. */
  discard(): void {
    this.#budget.forget(this);
    this.#budget.give(this, this.held);
    this.#base = this.#written;
    this.#blocks.clear();
    this.#lost.clear();
    this.#acked.clear();
  }

  raiseLimit(limit: number): void {
    if (limit <= this.#limit) return;
    this.#limit = limit;
    if (this.hasWork || this.waitsForCredit) this.#outbox.queue(this);
  }

  /** Writes one STREAM frame: first what was lost, then what is new. */
  fill(writer: PacketWriter, packet: SentPacket): void {
    if (!this.hasWork) return;
    const isNew = this.#lost.isEmpty;
    const offset = isNew ? this.#sent : this.#lost.min;
    const end = isNew ? Math.min(this.#written, this.#limit, this.#sent + this.#outbox.credit.left) : this.#lost.firstEnd;
    const room = writer.room - streamHeaderLength(this.id, offset);
    const length = Math.min(end - offset, room);
    if (length < 0 || (length === 0 && end > offset)) return;
    const fin = this.#fin !== "none" && offset + length === this.#written;
    writeStreamHeader(writer, this.id, offset, length, fin);
    for (let at = offset; at < offset + length; ) {
      const view = this.#blocks.view(at, offset + length);
      writer.bytes(view);
      at += view.length;
    }
    if (isNew) {
      this.#sent += length;
      this.#outbox.credit.use(length);
    } else this.#lost.remove(offset, offset + length);
    if (fin && this.#fin === "pending") this.#fin = "sent";
    packet.frames.push(new SentFrame(this, FrameType.Stream, offset, length, fin));
  }

  /** RESET_STREAM. */
  write(writer: PacketWriter, packet: SentPacket): boolean {
    writeControl(writer, FrameType.ResetStream, this.id, this.#resetCode, this.#sent);
    packet.frames.push(new SentFrame(this, FrameType.ResetStream));
    return true;
  }

  delivered({ type, offset, length, fin }: SentFrame): void {
    if (this.#done) return;
    if (type === FrameType.ResetStream) return this.#finish(true);
    if (this.isReset) return;
    const end = offset + length;
    this.#lost.remove(offset, end);
    this.#acked.add(Math.max(offset, this.#base), end);
    if (this.#acked.min === this.#base) this.#advance(this.#acked.firstEnd);
    if (fin) this.#fin = "acked";
    if (this.#fin === "acked" && this.#base === this.#written) this.#finish(false);
  }

  lost({ type, offset, length, fin }: SentFrame): void {
    if (this.#done) return;
    if (type === FrameType.ResetStream) return this.#outbox.say(this);
    if (this.isReset) return;
    const missing = this.#acked.missing(Math.max(offset, this.#base), offset + length);
    for (let i = 0; i < missing.length; i += 2) this.#lost.add(missing[i] ?? 0, missing[i + 1] ?? 0);
    if (fin && this.#fin === "sent") this.#fin = "pending";
    if (this.hasWork) this.#outbox.queue(this);
  }

  roomAgain(): void {
    if (!this.isEnded) this.#listener.writable();
  }

  #advance(base: number): void {
    const freed = base - this.#base;
    this.#acked.shift();
    this.#base = base;
    this.#blocks.release(base);
    this.#budget.give(this, freed);
  }

  #finish(wasReset: boolean): void {
    this.#done = true;
    this.#listener.sendDone(wasReset);
  }
}
