import type { TransportCode } from "./close-code.js";
import type { ConnectionWindow } from "./connection-window.js";
import { ReceiveWindow } from "./flow-control.js";
import type { Frame } from "./frame.js";
import { writeControl } from "./frame-encode.js";
import { FrameType } from "./frame-type.js";
import type { Outbox } from "./outbox.js";
import type { PacketWriter } from "./packet-writer.js";
import { ReceiveStream } from "./receive-stream.js";
import type { SendBudget } from "./send-budget.js";
import { SendStream } from "./send-stream.js";
import { type FrameSource, SentFrame, type SentPacket } from "./sent-packet.js";
import { Stream } from "./stream.js";
import type { TransportEvent, TransportRole } from "./transport-io.js";

/** What both sides may send on a stream, and how many they may open, without being told (RFC 9000 section 18.2 negotiates these). */
const INITIAL_STREAM_WINDOW = 1 << 20;
const INITIAL_MAX_STREAMS = 1024;

/** Ids of one side's bidirectional streams are so far apart (RFC 9000 section 2.1). */
const ID_STEP = 4;

export interface StreamsOptions {
  readonly role: TransportRole;
  readonly streamWindow: number;
  /** Of the peer's, at once; no fewer than both sides take for granted. */
  readonly maxStreams: number;
  readonly outbox: Outbox;
  readonly budget: SendBudget;
  readonly window: ConnectionWindow;
  readonly emit: (event: TransportEvent) => void;
}

type StreamFrame = Extract<Frame, { readonly stream: number }>;

interface Sides {
  readonly stream: Stream;
  readonly sending: SendStream;
  readonly receiving: ReceiveStream;
}

/** The streams of a connection: who may open how many, and whom a frame is for. */
export class Streams implements FrameSource {
  readonly #options: StreamsOptions;
  readonly #open = new Map<number, Sides>();
  /** The next id of each side. */
  #nextOurs: number;
  #nextTheirs: number;
  readonly #firstOurs: number;
  readonly #firstTheirs: number;
  /** How many each side may open in all. */
  #oursAllowed = INITIAL_MAX_STREAMS;
  #theirsAllowed: number;
  #theirsClosed = 0;
  /** `open` had none to give. */
  #wanted = false;

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.#firstOurs = options.role === "connector" ? 0 : 1;
    this.#firstTheirs = 1 - this.#firstOurs;
    this.#nextOurs = this.#firstOurs;
    this.#nextTheirs = this.#firstTheirs;
    this.#theirsAllowed = Math.max(INITIAL_MAX_STREAMS, options.maxStreams);
    if (this.#theirsAllowed > INITIAL_MAX_STREAMS) options.outbox.say(this);
  }

  /** `undefined`: the peer allows no more for now; `openable` follows. */
  open(): Stream | undefined {
    if (countOf(this.#nextOurs, this.#firstOurs) >= this.#oursAllowed) {
      this.#wanted = true;
      return undefined;
    }
    const { stream } = this.#add(this.#nextOurs);
    this.#nextOurs += ID_STEP;
    return stream;
  }

  /** MAX_STREAMS. */
  allow(count: number): void {
    if (count <= this.#oursAllowed) return;
    this.#oursAllowed = count;
    if (this.#wanted) this.#options.emit({ type: "openable" });
    this.#wanted = false;
  }

  /** @returns which rule the frame breaks, if one */
  handle(frame: StreamFrame): TransportCode | undefined {
    const sides = this.#find(frame.stream);
    if (typeof sides === "string") return sides === "gone" ? undefined : sides;
    switch (frame.type) {
      case "stream":
        return sides.receiving.receive(frame.offset, frame.data, frame.fin);
      case "reset-stream":
        return sides.receiving.reset(frame.code, frame.finalSize);
      case "max-stream-data":
        return void sides.sending.raiseLimit(frame.limit);
      case "stop-sending":
        return this.#stopped(sides, frame.code);
    }
  }

  /** Frees all memory of all streams. */
  discard(): void {
    for (const { sending } of this.#open.values()) sending.discard();
    this.#open.clear();
  }

  /** MAX_STREAMS. */
  write(writer: PacketWriter, packet: SentPacket): boolean {
    writeControl(writer, FrameType.MaxStreams, this.#theirsAllowed);
    packet.frames.push(new SentFrame(this, FrameType.MaxStreams));
    return true;
  }

  delivered(): void {}

  lost(): void {
    this.#options.outbox.say(this);
  }

  /** RFC 9000 sections 2.1 and 4.6. `gone`: it was there and both its sides are done. */
  #find(id: number): Sides | "gone" | TransportCode {
    const known = this.#open.get(id);
    if (known) return known;
    if (id % ID_STEP === this.#firstOurs) return id < this.#nextOurs ? "gone" : "stream-state";
    if (id % ID_STEP !== this.#firstTheirs) return "stream-state";
    if (id < this.#nextTheirs) return "gone";
    if (countOf(id, this.#firstTheirs) >= this.#theirsAllowed) return "stream-limit";
    return this.#accept(id);
  }

  /** A stream opens all of its kind that come before it (RFC 9000 section 3.2). */
  #accept(id: number): Sides {
    for (;;) {
      const sides = this.#add(this.#nextTheirs);
      this.#nextTheirs += ID_STEP;
      this.#options.emit({ type: "opened", stream: sides.stream });
      if (this.#nextTheirs > id) return sides;
    }
  }

  /** RFC 9000 section 3.5: a STOP_SENDING is answered by a RESET_STREAM. */
  #stopped({ stream, sending }: Sides, code: number): undefined {
    if (sending.isDone || sending.isReset) return;
    sending.reset(code);
    this.#options.emit({ type: "stopped", stream, code });
  }

  #add(id: number): Sides {
    const { outbox, budget, window, streamWindow, emit } = this.#options;
    const stream = new Stream(id, emit, (closed) => this.#closed(closed));
    const sending = new SendStream(id, INITIAL_STREAM_WINDOW, outbox, budget, stream);
    const receiving = new ReceiveStream(id, new ReceiveWindow(INITIAL_STREAM_WINDOW, streamWindow), window, outbox, stream);
    const sides = { stream: stream.attach(sending, receiving), sending, receiving };
    this.#open.set(id, sides);
    return sides;
  }

  #closed({ id }: Stream): void {
    this.#open.delete(id);
    if (id % ID_STEP !== this.#firstTheirs) return;
    this.#theirsClosed += 1;
    const limit = this.#theirsClosed + Math.max(INITIAL_MAX_STREAMS, this.#options.maxStreams);
    if (limit - this.#theirsAllowed < INITIAL_MAX_STREAMS / 8) return;
    this.#theirsAllowed = limit;
    this.#options.outbox.say(this);
  }
}

function countOf(id: number, first: number): number {
  return (id - first) / ID_STEP;
}
