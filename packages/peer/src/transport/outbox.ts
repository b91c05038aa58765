import type { SendCredit } from "./flow-control.js";
import { CONTROL_FRAME_LENGTH } from "./frame-encode.js";
import type { PacketWriter } from "./packet-writer.js";
import type { SendStream } from "./send-stream.js";
import type { FrameSource, SentPacket } from "./sent-packet.js";

/** A STREAM frame in less room is not worth its header. */
const MIN_STREAM_ROOM = 40;

/** A source writes two frames at most. */
const MIN_CONTROL_ROOM = 2 * CONTROL_FRAME_LENGTH;

/** Who has something to send, in the order of their turns. */
export class Outbox {
  readonly credit: SendCredit;
  readonly #sources = new Set<FrameSource>();
  /** Streams take turns, a frame each (RFC 9000 section 2.3 leaves it to us): none starves another. */
  readonly #streams = new Set<SendStream>();
  /** Streams that wait for the connection's credit. */
  readonly #parked = new Set<SendStream>();

  constructor(credit: SendCredit) {
    this.credit = credit;
  }

  get isEmpty(): boolean {
    return this.#sources.size === 0 && this.#streams.size === 0;
  }

  /** This source has something to say. */
  say(source: FrameSource): void {
    this.#sources.add(source);
  }

  /** This stream may have data to send; if it has not, it loses a turn. */
  queue(stream: SendStream): void {
    this.#streams.add(stream);
  }

  /** There is nothing more to come of this stream. */
  drop(stream: SendStream): void {
    this.#streams.delete(stream);
    this.#parked.delete(stream);
  }

  /** MAX_DATA. */
  raiseCredit(limit: number): void {
    this.credit.raise(limit);
    if (this.credit.left === 0) return;
    for (const stream of this.#parked) this.#streams.add(stream);
    this.#parked.clear();
  }

  fill(writer: PacketWriter, packet: SentPacket): void {
    this.fillControls(writer, packet);
    this.#fillStreams(writer, packet);
  }

  fillControls(writer: PacketWriter, packet: SentPacket): void {
    for (const source of this.#sources) {
      if (writer.room < MIN_CONTROL_ROOM || !source.write(writer, packet)) return;
      this.#sources.delete(source);
    }
  }

  #fillStreams(writer: PacketWriter, packet: SentPacket): void {
    for (const stream of this.#streams) {
      if (writer.room < MIN_STREAM_ROOM) return;
      this.#streams.delete(stream);
      stream.fill(writer, packet);
      if (stream.hasWork) this.#streams.add(stream);
      else if (stream.waitsForCredit) this.#parked.add(stream);
    }
  }
}
