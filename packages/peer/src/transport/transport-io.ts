import type { BbrPhase } from "./bbr.js";
import type { TransportCode } from "./close-code.js";
import type { Stream } from "./stream.js";

/** Who opened the session; it tells the two sides' streams apart. */
export type TransportRole = "connector" | "listener";

/** What the layer below says of the path that it sends on now. */
export interface PathInfo {
  /** Round trip as measured while the path was looked for, milliseconds; used until there is a measurement of our own. */
  readonly rttMs?: number;
  /** What the layer below adds to a packet, bytes of UDP payload. @default 24, which is sealing */
  readonly overhead?: number;
  /**
   * The longest UDP payload to try, bytes: 1472 is what Ethernet carries over IPv4, 1452 over IPv6. More would be fragmented by our
   * own kernel, and arrive. @default 1452
   */
  readonly maxDatagram?: number;
}

export interface TransportOptions {
  readonly role: TransportRole;
  /** Uniform in [0, 1). Nothing secret depends on it. */
  readonly random: () => number;
  /** What the peer may send on one stream before it is read, bytes. @default 8 MiB */
  readonly streamWindow?: number;
  /** The same on all streams. @default 16 MiB */
  readonly connectionWindow?: number;
  /** Streams of the peer's that may be open at once. @default 1024 */
  readonly maxStreams?: number;
  /** What one stream holds until it is acknowledged, bytes; `write` takes no more. @default 8 MiB */
  readonly streamBuffer?: number;
  /** The same for all streams; each may hold 64 KiB in any case. @default 16 MiB */
  readonly connectionBuffer?: number;
}

export type TransportEvent =
  /** By the peer. */
  | { readonly type: "opened"; readonly stream: Stream }
  /** `read` gives something, or the end. Told once until `read` gives nothing. */
  | { readonly type: "readable"; readonly stream: Stream }
  /** `write` took less than it was given, and would take more now. */
  | { readonly type: "writable"; readonly stream: Stream }
  /** All that was written was acknowledged, and the end of it too. */
  | { readonly type: "finished"; readonly stream: Stream }
  /** The peer gave up sending on it. */
  | { readonly type: "reset"; readonly stream: Stream; readonly code: number }
  /** The peer wants no more of it; its sending side was reset with the same code. */
  | { readonly type: "stopped"; readonly stream: Stream; readonly code: number }
  /** `open` has a stream again. */
  | { readonly type: "openable" }
  | { readonly type: "datagram"; readonly bytes: Uint8Array }
  /** No stream or datagram passes any more. Call `poll` on, so that the peer hears of it, until `drained`. */
  | ({ readonly type: "closed" } & CloseReason)
  /** The last event there is: nothing more will be sent. */
  | { readonly type: "drained" };

export interface CloseReason {
  readonly by: "us" | "peer";
  /** `application`: one side wanted it, with a code of its own. Others: the peer broke a rule, or thinks that we did. */
  readonly code: TransportCode | "application";
  readonly applicationCode: number;
  readonly text: string;
}

/** Counters and gauges of a connection. */
export interface TransportStats {
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly packetsReceived: number;
  /** Packets that were not processed, because they had been before. */
  readonly packetsDropped: number;
  readonly packetsLost: number;
  readonly bytesLost: number;
  /** Packets that were given up and arrived all the same. */
  readonly packetsLate: number;
  /** Probe timeouts. */
  readonly timeouts: number;
  readonly bytesInFlight: number;
  readonly congestionWindow: number;
  /** Bytes a second. */
  readonly pacingRate: number;
  readonly smoothedRttMs: number;
  readonly minRttMs: number;
  /** The longest packet on this path, bytes of UDP payload. */
  readonly datagramSize: number;
  /** What the congestion control is about. */
  readonly phase: BbrPhase;
}
