/**
 * Version of the signalling protocol. A peer speaks the one that the rendezvous' welcome names, or leaves.
 * Within a version, fields and message types may be added: what one does not know, one ignores.
 */
export const SIGNAL_VERSION = 1;

/** Every rendezvous takes this many bytes of data in one frame. A peer must not send more in one. */
export const MAX_SIGNAL_DATA = 16_384;

/** Stable codes of an error message, each with the close code (RFC 6455 section 7.4) that follows it; 0: the connection goes on. */
export const SIGNAL_ERRORS = {
  /** A type of message that the rendezvous does not know: a newer peer's. */
  "unknown-type": 0,
  /** A second register on one connection. */
  "already-registered": 0,
  /** Nobody is registered there. */
  "no-such-room": 0,
  /** A knock at the room that this very connection registered. */
  "own-room": 0,
  /** The room has all the links that a room may have, or all that one address may have with it. */
  "room-full": 0,
  /** The room is knocked at too often. */
  "room-busy": 0,
  /** The connection has all the links that a connection may have. */
  "too-many-links": 0,
  /** Neither JSON, nor a message, nor a frame of the protocol. */
  "bad-message": 1002,
  /** A message of another version of the protocol. */
  "other-version": 1002,
  /** The signature is not that key's, over this connection's challenge. */
  "bad-signature": 1008,
  /** A message or frame is longer than may be. */
  "too-large": 1009,
  /** More messages a second than may be. */
  "too-fast": 1008,
  /** More bytes a second than may be. */
  "too-much": 1008,
  /** The client does not read what it is sent. */
  "slow-reader": 1008,
  /** Neither registered nor knocked in time. */
  "handshake-timeout": 1008,
  /** No room and no link for too long. */
  idle: 1008,
  /** The same key registered the room from another connection. */
  replaced: 1008,
  /** The rendezvous has all the rooms that it may have. */
  "too-many-rooms": 1013,
  /** The rendezvous has all the clients that it may have. */
  "too-many-clients": 1013,
  /** The rendezvous has all the clients from this address that it may have. */
  "too-many-clients-of-address": 1013,
  /** The rendezvous is about to end: reconnect, preferably to another one. */
  draining: 1001,
} as const;

export type SignalErrorCode = keyof typeof SIGNAL_ERRORS;

/** Why a link ended. */
export type UnlinkReason =
  /** The other side unlinked. */
  | "left"
  /** The other side's connection ended. */
  | "gone"
  /** Nothing was sent on the link for too long. */
  | "idle"
  /** More was sent on the link than the other side reads. */
  | "congested";
