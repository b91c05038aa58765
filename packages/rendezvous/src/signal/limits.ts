import { MAX_SIGNAL_DATA, SIGNAL_FRAME_HEADER } from "@awl/wire";

/** What signalling grants. Each limit is answered with an error code of its own, named here. */
export interface SignalLimits {
  /** Connections, in all: `too-many-clients`. @default 10000 */
  readonly clients: number;
  /** Connections from one source, an IPv4 address or an IPv6 /56 (the smallest block that a site is given): `too-many-clients-of-address`. @default 128 */
  readonly clientsPerAddress: number;
  /** Rooms, in all: `too-many-rooms`. @default 10000 */
  readonly rooms: number;
  /** Links of one room at once: `room-full`. @default 64 */
  readonly linksPerRoom: number;
  /** Links of one room with one source, which must not be able to fill it: `room-full`. @default 16 */
  readonly linksPerRoomAndAddress: number;
  /** Links that one connection knocked for: `too-many-links`. @default 16 */
  readonly linksPerClient: number;
  /** Knocks a second at one room: `room-busy`. So knocks alone cannot drive a listener that answers each over its own rates. @default 20 */
  readonly knockRate: number;
  /** Knocks at once at one room: `room-busy`. @default 100 */
  readonly knockBurst: number;
  /** Length of one message, bytes: `too-large`. @default 16388: a frame of the data that the protocol grants */
  readonly messageBytes: number;
  /** Messages a second from one connection, pings included: `too-fast`. @default 200 */
  readonly messageRate: number;
  /** Messages at once from one connection: `too-fast`. @default 1000 */
  readonly messageBurst: number;
  /** Bytes a second from one connection: `too-much`. Handshakes need a few kB each; data does not belong here. @default 65536 */
  readonly byteRate: number;
  /** Bytes at once from one connection: `too-much`. @default 524288 */
  readonly byteBurst: number;
  /**
   * Bytes that wait to be sent to one connection, above which a frame for it ends the frame's link (both sides are told
   * `unlinked`, `congested`) instead of waiting too: a stranger who floods a listener loses the link, not the listener its room.
   * @default 131072
   */
  readonly frameWaitingBytes: number;
  /** Bytes that wait to be sent to one connection, whatever they are: `slow-reader`. @default 262144 */
  readonly waitingBytes: number;
  /** From the connection to its first successful register or knock, milliseconds: `handshake-timeout`. @default 10000 */
  readonly handshakeMs: number;
  /** Without room and link after that, milliseconds: `idle`. @default 60000 */
  readonly idleMs: number;
  /** Without a frame on a link, milliseconds, after which both sides are told `unlinked`, `idle`. @default 600000 */
  readonly linkIdleMs: number;
  /** How long the credentials hold that the two sides of a link get for relays, seconds; asked for anew from half of that on. @default 7200 */
  readonly relaySeconds: number;
}

export const DEFAULT_SIGNAL_LIMITS: SignalLimits = {
  clients: 10_000,
  clientsPerAddress: 128,
  rooms: 10_000,
  linksPerRoom: 64,
  linksPerRoomAndAddress: 16,
  linksPerClient: 16,
  knockRate: 20,
  knockBurst: 100,
  messageBytes: MAX_SIGNAL_DATA + SIGNAL_FRAME_HEADER,
  messageRate: 200,
  messageBurst: 1000,
  byteRate: 64 * 1024,
  byteBurst: 512 * 1024,
  frameWaitingBytes: 128 * 1024,
  waitingBytes: 256 * 1024,
  handshakeMs: 10_000,
  idleMs: 60_000,
  linkIdleMs: 600_000,
  relaySeconds: 7_200,
};
