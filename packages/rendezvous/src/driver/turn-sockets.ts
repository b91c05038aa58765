import { randomBytes } from "node:crypto";
import type { Socket } from "node:dgram";
import type { Duplex } from "node:stream";
import { type Endpoint, StreamFramer } from "@awl/wire";
import type { ConnectionId } from "../turn/allocation.js";
import type { TurnSize } from "../turn/allocations.js";
import type { TurnCounters } from "../turn/counters.js";
import type { CredentialRequest } from "../turn/credentials.js";
import type { TurnInput, TurnOutput } from "../turn/io.js";
import { type TurnCredential, TurnServer, type TurnServerOptions } from "../turn/turn-server.js";
import { RelaySockets } from "./relay-sockets.js";

/** Numbers since the start, and how much there is at the moment. */
export type TurnStatistics = Readonly<Omit<TurnCounters, "dropped" | "refused" | "peers">> &
  Pick<TurnCounters, "dropped" | "refused" | "peers"> &
  TurnSize & {
    /** Requests that wait for a socket. */
    readonly waiting: number;
    /** Sockets of relayed addresses. */
    readonly sockets: number;
    /** Data for clients who do not read what they are sent. */
    readonly slowReaders: number;
  };

export type TurnSocketsOptions = Omit<TurnServerOptions, "random" | "unixTime" | "dontFragment">;

/** The driver of the relay: sockets, connections and a timer around the machine. */
export class TurnSockets {
  readonly #machine: TurnServer;
  /** One a served address: those that STUN is asked on, too. */
  readonly #sockets: readonly Socket[];
  readonly #relays: RelaySockets;
  readonly #connections = new Map<ConnectionId, Duplex>();
  readonly #onSent: (error: Error | null) => void;
  #nextConnection: ConnectionId = 0;
  #timer: NodeJS.Timeout | undefined;
  #slowReaders = 0;
  #closed = false;

  constructor(options: TurnSocketsOptions, sockets: readonly Socket[], onSendError: () => void) {
    this.#sockets = sockets;
    this.#machine = new TurnServer({
      ...options,
      random: randomBytes,
      unixTime: () => Date.now() / 1000,
      // Linux sets the bit on what fits the path, and nothing else can be had: node has no option for it.
      dontFragment: process.platform === "linux",
    });
    this.#onSent = (error) => {
      if (error) onSendError();
    };
    this.#relays = new RelaySockets((input) => this.#feed(input), this.#onSent);
  }

  /** A credential for one side of a pair. @throws {RangeError} for a request that is not as {@link CredentialRequest} says */
  issue(request: CredentialRequest): TurnCredential {
    return this.#machine.issue(request);
  }

  /** Takes a datagram that came to the served address `local`, by index. */
  datagram(local: number, bytes: Buffer, from: Endpoint): void {
    this.#feed({ type: "datagram", local, from, bytes });
  }

  /** Takes over a connection that was opened to the served address `local`. */
  connect(local: number, from: Endpoint, stream: Duplex): void {
    const connection = this.#nextConnection++;
    const framer = new StreamFramer();
    this.#connections.set(connection, stream);
    this.#feed({ type: "connected", connection, local, from });
    stream.on("data", (chunk: Buffer) => {
      const frames = framer.push(chunk);
      if (typeof frames === "string") stream.destroy();
      else for (const bytes of frames) this.#feed({ type: "frame", connection, bytes });
    });
    stream.on("end", () => stream.end());
    stream.on("close", () => {
      this.#connections.delete(connection);
      this.#feed({ type: "disconnected", connection });
    });
  }

  statistics(): TurnStatistics {
    const { received, succeeded, refused, forwarded, handedOver, dropped, peers, bytes } = this.#machine.counters;
    return {
      ...{ received, succeeded, forwarded, handedOver, bytes, refused: { ...refused }, dropped: { ...dropped } },
      peers: { ...peers, dropped: { ...peers.dropped } },
      ...this.#machine.size,
      waiting: this.#machine.waiting,
      sockets: this.#relays.size,
      slowReaders: this.#slowReaders,
    };
  }

  /** Drops all connections and closes all relays. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stream of this.#connections.values()) stream.destroy();
    await this.#relays.close();
    clearTimeout(this.#timer);
  }

  #feed(input: TurnInput): void {
    if (this.#closed) return;
    for (const output of this.#machine.handle(performance.now(), input)) this.#perform(output);
  }

  #perform(output: TurnOutput): void {
    switch (output.type) {
      case "send":
        this.#sockets[output.local]?.send(output.bytes, output.to.port, output.to.address, this.#onSent);
        return;
      case "forward":
        return this.#relays.send(output.relay, output.bytes, output.to);
      case "write":
        return this.#write(output.connection, output.bytes, output.data);
      case "bind":
        return this.#relays.bind(output.relay, output.at);
      case "release":
        return this.#relays.release(output.relay);
      case "close":
        this.#connections.get(output.connection)?.destroy();
        return;
      case "wake":
        this.#timer = setTimeout(() => this.#feed({ type: "tick" }), Math.max(1, output.at - performance.now()));
        return;
    }
  }

  /** Data is dropped where too much waits, as a full line drops datagrams; a client who does not even read answers is gone. */
  #write(connection: ConnectionId, bytes: Uint8Array, data: boolean): void {
    const stream = this.#connections.get(connection);
    if (!stream?.writable) return;
    if (stream.writableLength < MAX_WAITING) stream.write(bytes);
    else if (data) this.#slowReaders++;
    else stream.destroy();
  }
}

/** Bytes: a quarter of a second of 8 Mbit/s. */
const MAX_WAITING = 256 * 1024;
