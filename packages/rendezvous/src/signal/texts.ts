import type { SignalErrorCode } from "@awl/wire";

/** The sentence that goes with each code, for a person. */
export const ERROR_TEXTS: Readonly<Record<SignalErrorCode, string>> = {
  "unknown-type": "this rendezvous does not know that message",
  "already-registered": "this connection has registered its room already",
  "no-such-room": "no listener is registered there",
  "own-room": "this connection is the listener of that room",
  "room-full": "the listener has all the links that it may have",
  "room-busy": "the listener is knocked at too often: try again in a second",
  "too-many-links": "this connection has all the links that it may have",
  "bad-message": "that is no message of the signalling protocol",
  "other-version": "this rendezvous speaks version 1 of the signalling protocol",
  "bad-signature": "the signature does not prove that key",
  "too-large": "that message is too long",
  "too-fast": "too many messages a second",
  "too-much": "too many bytes a second",
  "slow-reader": "too many bytes wait to be read",
  "handshake-timeout": "no room registered, and no link made in time",
  idle: "no room and no link for too long",
  replaced: "the same key has registered the room from another connection",
  "too-many-rooms": "this rendezvous has all the listeners that it may have",
  "too-many-clients": "this rendezvous has all the clients that it may have",
  "too-many-clients-of-address": "this rendezvous has all the clients from your address that it may have",
  draining: "this rendezvous is about to end: try another one",
};
