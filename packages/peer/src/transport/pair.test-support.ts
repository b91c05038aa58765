import { expect } from "vitest";
import { randomFrom } from "../random.test-support.js";
import { Link, type LinkOptions } from "./link.test-support.js";
import type { Stream } from "./stream.js";
import { Transport } from "./transport.js";
import type { PathInfo, TransportEvent, TransportOptions } from "./transport-io.js";
import { VirtualClock } from "./virtual-clock.test-support.js";

/** What sealing adds. */
const SEAL = 24;

/** Bytes that streams carry: what is at an offset depends on the stream and the offset alone. */
const PATTERN_LENGTH = 65_521;
const PATTERN = (() => {
  const random = randomFrom(1);
  const once = Buffer.from(Array.from({ length: PATTERN_LENGTH }, () => random() * 256));
  return Buffer.concat([once, once]);
})();

export function patternAt(stream: number, offset: number, length: number): Buffer {
  const start = (stream * 7_919 + offset) % PATTERN_LENGTH;
  return PATTERN.subarray(start, start + Math.min(length, PATTERN_LENGTH));
}

/** One side of a connection in virtual time, with an application that sends patterns and checks what it receives. */
export class End {
  readonly transport: Transport;
  readonly events: TransportEvent[] = [];
  /** Bytes read, by stream; complete when `ended` has it. */
  readonly read = new Map<number, number>();
  readonly ended = new Set<number>();
  readonly finished = new Set<number>();
  /** Streams whose data is left where it is. */
  reads = true;
  /** Sends this many bytes back on each stream of the peer's. */
  answer: number | undefined;
  onRead: (bytes: number) => void = () => {};
  onEvent: (event: TransportEvent) => void = () => {};
  received = 0;
  readonly #clock: VirtualClock;
  readonly #sending = new Map<number, { stream: Stream; left: number; at: number }>();
  #transmit: (bytes: Buffer) => void = () => {};
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(clock: VirtualClock, options: TransportOptions) {
    this.#clock = clock;
    this.transport = new Transport(clock.now, options);
  }

  plug(transmit: (bytes: Buffer) => void): void {
    this.#transmit = transmit;
  }

  changePath(info: PathInfo = {}): void {
    this.transport.changePath(this.#clock.now, info);
    this.flush();
  }

  receive(bytes: Buffer): void {
    this.transport.receive(this.#clock.now, bytes);
    this.flush();
  }

  /** Sends that many bytes on a stream, a new one if none is given, and ends it. */
  send(bytes: number, stream = this.transport.open()): Stream {
    if (!stream) throw new Error("no stream");
    this.#sending.set(stream.id, { stream, left: bytes, at: 0 });
    this.#write(stream.id);
    this.flush();
    return stream;
  }

  /** Reads what was left. */
  readAll(streams: Iterable<Stream>): void {
    for (const stream of streams) this.#read(stream);
    this.flush();
  }

  get closed(): Extract<TransportEvent, { type: "closed" }> | undefined {
    return this.events.find((event) => event.type === "closed");
  }

  flush(): void {
    const { now } = this.#clock;
    this.#takeEvents();
    for (let packet = this.transport.poll(now); packet; packet = this.transport.poll(now)) this.#transmit(Buffer.from(packet));
    this.#takeEvents();
    const { deadline } = this.transport;
    if (deadline >= this.#wakeAt || deadline === Number.POSITIVE_INFINITY) return;
    this.#wakeAt = deadline;
    this.#clock.at(deadline, () => {
      if (this.#wakeAt !== deadline) return;
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.flush();
    });
  }

  #takeEvents(): void {
    for (const event of this.transport.takeEvents()) {
      this.events.push(event);
      if (event.type === "opened" && this.answer !== undefined) this.send(this.answer, event.stream);
      if (event.type === "readable" && this.reads) this.#read(event.stream);
      if (event.type === "writable") this.#write(event.stream.id);
      if (event.type === "finished") this.finished.add(event.stream.id);
      this.onEvent(event);
    }
  }

  #read(stream: Stream): void {
    for (let bytes = stream.read(); bytes; bytes = stream.read()) {
      const at = this.read.get(stream.id) ?? 0;
      if (!bytes.equals(patternAt(stream.id, at, bytes.length))) expect.fail(`stream ${stream.id} differs after ${at}`);
      this.read.set(stream.id, at + bytes.length);
      this.received += bytes.length;
      this.onRead(bytes.length);
    }
    if (stream.isReadEnded) this.ended.add(stream.id);
  }

  #write(id: number): void {
    const job = this.#sending.get(id);
    if (!job) return;
    while (job.left > 0) {
      const bytes = patternAt(id, job.at, Math.min(job.left, 32_768));
      const taken = job.stream.write(bytes);
      job.at += taken;
      job.left -= taken;
      if (taken < bytes.length) return;
    }
    job.stream.end();
    this.#sending.delete(id);
  }
}

export interface PairOptions {
  readonly seed?: number;
  /** From the connector to the listener. */
  readonly there?: LinkOptions;
  /** And back; by default the delay of the other direction, and nothing else. */
  readonly back?: LinkOptions;
  readonly path?: PathInfo;
  readonly connector?: Partial<TransportOptions>;
  readonly listener?: Partial<TransportOptions>;
  readonly clock?: VirtualClock;
  /** A line that is shared with others. */
  readonly line?: Link;
}

/** A connection over a line in virtual time. */
export class Pair {
  readonly clock: VirtualClock;
  readonly random: () => number;
  readonly connector: End;
  readonly listener: End;
  there: Link;
  back: Link;

  constructor(options: PairOptions = {}) {
    const { seed = 1, there = {}, back, path = {}, clock = new VirtualClock(), line } = options;
    this.clock = clock;
    const random = randomFrom(seed);
    this.random = random;
    this.there = line ?? new Link(clock, random, there);
    this.back = new Link(clock, random, back ?? { delayMs: this.there.options.delayMs ?? 0 });
    this.connector = new End(clock, { role: "connector", random, ...options.connector });
    this.listener = new End(clock, { role: "listener", random, ...options.listener });
    this.connector.plug((bytes) => this.there.send(bytes.length + SEAL, () => this.listener.receive(bytes)));
    this.listener.plug((bytes) => this.back.send(bytes.length + SEAL, () => this.connector.receive(bytes)));
    this.changePath(path);
  }

  /** Both sides are told of another path at once. */
  changePath(path: PathInfo = {}): void {
    this.connector.changePath(path);
    this.listener.changePath(path);
  }

  /** Sends from the connector to the listener until all has arrived. @returns milliseconds it took */
  transfer(bytes: number, limitMs = 600_000): number {
    const { now } = this.clock;
    const { id } = this.connector.send(bytes);
    this.clock.runUntil(now + limitMs, () => this.listener.ended.has(id));
    expect(this.listener.ended.has(id), `${this.listener.read.get(id)} of ${bytes} bytes after ${this.clock.now - now} ms`).toBe(true);
    expect(this.listener.read.get(id)).toBe(bytes);
    return this.clock.now - now;
  }

  /** Bytes delivered to the listener's application within a time from now on. */
  deliveredWithin(ms: number): number {
    const before = this.listener.received;
    this.clock.runUntil(this.clock.now + ms);
    return this.listener.received - before;
  }
}
