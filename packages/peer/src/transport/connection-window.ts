import { ReceiveWindow } from "./flow-control.js";
import { writeControl } from "./frame-encode.js";
import { FrameType } from "./frame-type.js";
import type { Outbox } from "./outbox.js";
import type { PacketWriter } from "./packet-writer.js";
import { type FrameSource, SentFrame, type SentPacket } from "./sent-packet.js";

/** How far the peer may send on all streams together, and MAX_DATA (RFC 9000 sections 4.1 and 19.9). */
export class ConnectionWindow implements FrameSource {
  readonly #window: ReceiveWindow;
  readonly #outbox: Outbox;
  #received = 0;

  constructor(outbox: Outbox, initial: number, full: number) {
    this.#outbox = outbox;
    this.#window = new ReceiveWindow(initial, full);
  }

  /** A stream has grown by these bytes. @returns whether the peer was allowed to */
  receive(bytes: number): boolean {
    this.#received += bytes;
    return this.#received <= this.#window.limit;
  }

  /** These bytes take no memory any more. */
  consume(bytes: number): void {
    if (this.#window.consume(bytes)) this.#outbox.say(this);
  }

  write(writer: PacketWriter, packet: SentPacket): boolean {
    writeControl(writer, FrameType.MaxData, this.#window.limit);
    packet.frames.push(new SentFrame(this, FrameType.MaxData));
    return true;
  }

  delivered(): void {}

  lost(): void {
    this.#outbox.say(this);
  }
}
