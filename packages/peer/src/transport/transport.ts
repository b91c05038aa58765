import { codeOfNumber, type TransportCode } from "./close-code.js";
import { Closing } from "./closing.js";
import { ConnectionWindow } from "./connection-window.js";
import { DatagramQueue } from "./datagram-queue.js";
import { MAX_PACKET } from "./datagram-size.js";
import { SendCredit } from "./flow-control.js";
import { decodePacket, type Frame } from "./frame.js";
import { DATAGRAM_OVERHEAD } from "./frame-encode.js";
import { FrameType } from "./frame-type.js";
import { Outbox } from "./outbox.js";
import { PacketWriter } from "./packet-writer.js";
import { Path } from "./path.js";
import { ReceivedPackets } from "./received-packets.js";
import { Recovery } from "./recovery.js";
import { SendBudget } from "./send-budget.js";
import { SentPacket } from "./sent-packet.js";
import type { Stream } from "./stream.js";
import { Streams } from "./streams.js";
import type { CloseReason, PathInfo, TransportEvent, TransportOptions, TransportStats } from "./transport-io.js";

/** What may be received on all streams without being told; both sides know it. */
const INITIAL_CONNECTION_WINDOW = 2 << 20;

const DEFAULTS = {
  streamWindow: 8 << 20,
  connectionWindow: 16 << 20,
  maxStreams: 1_024,
  streamBuffer: 8 << 20,
  connectionBuffer: 16 << 20,
};

/** A connection that is being closed lingers for so many timeouts (RFC 9000 section 10.2). */
const LINGER = 3;
/** Events of datagrams that nobody took are bounded in number. */
const MAX_DATAGRAM_EVENTS = 1_024;
/** What comes before the frames of a packet, at most. */
const NUMBER_LENGTH = 8;

/**
 * Reliable streams, and datagrams, over a path that loses, repeats and reorders packets, and that may be exchanged for another. Pure.
 *
 * Whatever is called: afterwards take `takeEvents`, send what `poll` gives until it gives nothing, and call `poll` again at `deadline`.
 * Nothing is sent before the first `changePath`. `now`: milliseconds of any clock that never goes back.
 */
export class Transport {
  readonly #random: () => number;
  readonly #writer = new PacketWriter(MAX_PACKET);
  readonly #outbox = new Outbox(new SendCredit(INITIAL_CONNECTION_WINDOW));
  readonly #datagrams = new DatagramQueue();
  readonly #received = new ReceivedPackets();
  readonly #recovery: Recovery;
  readonly #streams: Streams;
  #events: TransportEvent[] = [];
  /** There is no path, or it is dead. */
  #isHeld = true;
  #closing: Closing | undefined;
  #state: "open" | "closing" | "drained" = "open";
  #datagramEvents = 0;
  #packetsSent = 0;
  #bytesSent = 0;
  #packetsReceived = 0;
  #packetsDropped = 0;

  constructor(now: number, options: TransportOptions) {
    const { role, random, streamWindow, connectionWindow, maxStreams, streamBuffer, connectionBuffer } = { ...DEFAULTS, ...options };
    this.#random = random;
    this.#recovery = new Recovery(new Path(now, {}, random));
    this.#streams = new Streams({
      role,
      streamWindow,
      maxStreams,
      outbox: this.#outbox,
      budget: new SendBudget(streamBuffer, connectionBuffer),
      window: new ConnectionWindow(this.#outbox, INITIAL_CONNECTION_WINDOW, connectionWindow),
      emit: (event) => void this.#events.push(event),
    });
  }

  /** Opens a stream; the peer hears of it with its first byte. `undefined`: it allows no more now; the event `openable` follows. */
  open(): Stream | undefined {
    return this.#state === "open" ? this.#streams.open() : undefined;
  }

  /** Sends bytes once, in one packet. @returns whether they were taken: not if they are too long, or too many wait already */
  sendDatagram(bytes: Uint8Array): boolean {
    return this.#state === "open" && bytes.length <= this.maxDatagram && this.#datagrams.push(bytes);
  }

  /** The longest datagram that this path carries now, bytes. */
  get maxDatagram(): number {
    return this.#recovery.path.size.packet - NUMBER_LENGTH - DATAGRAM_OVERHEAD;
  }

  /** A packet of the peer's, authenticated. It may be kept, in part, for the life of the event `datagram`. */
  receive(now: number, bytes: Uint8Array): void {
    this.#packetsReceived += 1;
    if (this.#state !== "open") return this.#closing?.heard();
    const packet = decodePacket(bytes);
    if (!packet) return this.#fail(now, "frame-encoding");
    if (this.#received.isKnown(packet.number)) {
      this.#packetsDropped += 1;
      return;
    }
    let isEliciting = false;
    for (const frame of packet.frames) {
      const fault = this.#handle(now, frame);
      if (fault) return this.#fail(now, fault);
      if (this.#state !== "open") return;
      isEliciting ||= frame.type !== "ack";
    }
    this.#received.add(now, packet.number, isEliciting, this.#recovery.path.rtt.smoothed);
  }

  /** The next packet to send now, a view that the next call invalidates; `undefined`: none until `deadline`, or until something happens. */
  poll(now: number): Buffer | undefined {
    if (this.#state !== "open") return this.#pollClosing(now);
    if (this.#isHeld) return undefined;
    this.#recovery.advance(now);
    return this.#pollEliciting(now) ?? this.#pollAck(now);
  }

  /** When to call `poll` again at the latest; infinity: not before something happens. */
  get deadline(): number {
    if (this.#closing) return this.#closing.deadline;
    if (this.#isHeld || this.#state !== "open") return Number.POSITIVE_INFINITY;
    const { inFlight, congestion, pacer } = this.#recovery.path;
    const mayAt = this.#hasWork && inFlight < congestion.window ? pacer.readyAt(congestion.pacingRate) : Number.POSITIVE_INFINITY;
    return Math.min(this.#recovery.deadline, this.#received.ackAt, mayAt);
  }

  /** What has happened since the last call. */
  takeEvents(): TransportEvent[] {
    if (this.#events.length === 0) return this.#events;
    this.#datagramEvents = 0;
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** What is sent from now on takes this path. Nothing that was measured on another one holds for it. */
  changePath(now: number, path: PathInfo): void {
    this.#recovery.changePath(now, new Path(now, path, this.#random), this.#isHeld);
    this.#isHeld = false;
  }

  /** The path is dead, and there is no other yet: nothing is sent until `changePath`. */
  losePath(): void {
    this.#isHeld = true;
  }

  /** Ends the connection at once; what was not acknowledged may be lost. `code`: the application's own, below 2^53. */
  close(now: number, code: number, text: string): void {
    this.#end(now, { by: "us", code: "application", applicationCode: code, text });
  }

  get stats(): TransportStats {
    const { path, packetsLost, bytesLost, packetsLate, timeouts } = this.#recovery;
    return {
      packetsSent: this.#packetsSent,
      bytesSent: this.#bytesSent,
      packetsReceived: this.#packetsReceived,
      packetsDropped: this.#packetsDropped,
      packetsLost,
      bytesLost,
      packetsLate,
      timeouts,
      bytesInFlight: path.inFlight,
      congestionWindow: path.congestion.window,
      pacingRate: path.congestion.pacingRate * 1_000,
      smoothedRttMs: path.rtt.smoothed,
      minRttMs: path.rtt.min,
      datagramSize: path.size.datagram,
      phase: path.congestion.phase,
    };
  }

  get #hasWork(): boolean {
    return !this.#outbox.isEmpty || !this.#datagrams.isEmpty;
  }

  #handle(now: number, frame: Frame): TransportCode | undefined {
    switch (frame.type) {
      case "ping":
        return undefined;
      case "ack":
        return this.#recovery.acknowledge(now, frame);
      case "max-data":
        return void this.#outbox.raiseCredit(frame.limit);
      case "max-streams":
        return void this.#streams.allow(frame.limit);
      case "datagram":
        return void this.#deliver(frame.data);
      case "close": {
        const { isApplication, code, text } = frame;
        const name = isApplication ? "application" : codeOfNumber(code);
        return void this.#end(now, { by: "peer", code: name, applicationCode: isApplication ? code : 0, text });
      }
      default:
        return this.#streams.handle(frame);
    }
  }

  #deliver(bytes: Uint8Array): void {
    if (this.#datagramEvents >= MAX_DATAGRAM_EVENTS) return;
    this.#datagramEvents += 1;
    this.#events.push({ type: "datagram", bytes });
  }

  #pollEliciting(now: number): Buffer | undefined {
    const { path } = this.#recovery;
    const isProbe = this.#recovery.probes > 0;
    const hasRoom = path.inFlight < path.congestion.window;
    if (!isProbe && !this.#hasWork) {
      if (hasRoom) path.rate.appLimited(path.inFlight);
      return this.#probeSize(now);
    }
    if (!isProbe && !(hasRoom && path.pacer.isReady(now, path.congestion.pacingRate))) return undefined;
    return this.#probeSize(now) ?? this.#assemble(now, isProbe);
  }

  /** A packet of what there is to say, in turns; a probe says at least that it is there. */
  #assemble(now: number, isProbe: boolean): Buffer | undefined {
    const { path } = this.#recovery;
    const writer = this.#begin(isProbe ? path.size.floor : path.size.packet);
    const begun = writer.length;
    this.#received.write(writer, now);
    const packet = new SentPacket(this.#recovery.nextNumber, path, now);
    const frames = writer.length;
    this.#datagrams.write(writer, this.#outbox.isEmpty, this.maxDatagram);
    this.#outbox.fill(writer, packet);
    if (writer.length === frames) this.#datagrams.write(writer, true, this.maxDatagram);
    if (writer.length === frames && isProbe) writer.byte(FrameType.Ping);
    if (writer.length > frames) return this.#send(now, packet);
    return writer.length > begun ? this.#send(now, undefined) : undefined;
  }

  /** A packet that finds out whether the path carries longer ones. */
  #probeSize(now: number): Buffer | undefined {
    const { path } = this.#recovery;
    const size = path.rtt.hasSample ? path.size.probe(now) : undefined;
    if (size === undefined || path.inFlight + size > path.congestion.window) return undefined;
    const writer = this.#begin(size);
    writer.byte(FrameType.Ping);
    writer.pad();
    const packet = new SentPacket(this.#recovery.nextNumber, path, now);
    packet.isSizeProbe = true;
    return this.#send(now, packet);
  }

  #pollAck(now: number): Buffer | undefined {
    if (now < this.#received.ackAt) return undefined;
    const writer = this.#begin(this.#recovery.path.size.packet);
    return this.#received.write(writer, now) ? this.#send(now, undefined) : undefined;
  }

  #begin(size: number): PacketWriter {
    this.#writer.begin(size);
    this.#writer.varint(this.#recovery.nextNumber);
    return this.#writer;
  }

  /** `undefined`: it needs no acknowledgement. */
  #send(now: number, packet: SentPacket | undefined): Buffer {
    const bytes = this.#writer.finish();
    if (packet) packet.size = bytes.length;
    this.#recovery.sent(now, packet);
    this.#packetsSent += 1;
    this.#bytesSent += bytes.length;
    return bytes;
  }

  /** RFC 9000 section 11.1: the peer has broken a rule. */
  #fail(now: number, code: TransportCode): void {
    this.#end(now, { by: "us", code, applicationCode: 0, text: "" });
  }

  #end(now: number, reason: CloseReason): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#streams.discard();
    this.#datagrams.clear();
    this.#events.push({ type: "closed", ...reason });
    if (reason.by === "us") this.#closing = new Closing(reason, now + LINGER * this.#recovery.timeoutMs);
    else this.#drain();
  }

  #pollClosing(now: number): Buffer | undefined {
    if (!this.#closing) return undefined;
    if (this.#closing.isOver(now)) return this.#drain();
    if (this.#isHeld) return undefined;
    return this.#closing.write(this.#begin(this.#recovery.path.size.floor)) ? this.#send(now, undefined) : undefined;
  }

  #drain(): undefined {
    this.#closing = undefined;
    this.#state = "drained";
    this.#events.push({ type: "drained" });
  }
}
