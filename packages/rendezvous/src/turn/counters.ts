import type { StunFault } from "@awl/wire";

/** Error codes that the relay answers with. */
export type TurnErrorCode = 400 | 401 | 403 | 420 | 437 | 438 | 440 | 441 | 442 | 443 | 486 | 508;

/** Why a client's message had no effect and got no answer. */
export type TurnDrop =
  | StunFault
  /** No request, no Send indication. */
  | "not-for-a-server"
  /** From port 0, an address no host has, or an endpoint of ours. */
  | "bad-source"
  /** A stranger's, over the limit. */
  | "stranger-limit"
  /** Waits for a socket together with too many others; or waited, and its allocation has ended. */
  | "not-awaited"
  | "no-allocation"
  | "no-permission"
  /** No such channel (any longer). */
  | "no-channel"
  /** A Send indication that lacks something, or has what we do not know. */
  | "bad-send"
  /** An address of ours, but nobody's relayed one. */
  | "no-such-relay"
  /** Another pair's relayed address, or one whose owner permits nothing from here. */
  | "not-permitted-there"
  /** For a datagram; or for an unfragmented one, where that was asked for. */
  | "too-long"
  | "user-rate"
  | "total-rate"
  /** The credential's bytes are used up. */
  | "byte-quota";

/** Why a peer's datagram did not reach the client. */
export type PeerDrop = "no-permission" | "too-long" | "user-rate" | "total-rate" | "byte-quota";

/** What became of every message. All fields only grow. */
export class TurnCounters {
  /** Messages of clients, ChannelData included. The sum of `succeeded`, `refused`, `forwarded`, `handedOver`, `dropped`, and of those that wait. */
  received = 0;
  succeeded = 0;
  readonly refused: Record<TurnErrorCode, number> = {
    400: 0,
    401: 0,
    403: 0,
    420: 0,
    437: 0,
    438: 0,
    440: 0,
    441: 0,
    442: 0,
    443: 0,
    486: 0,
    508: 0,
  };
  /** Data sent on to a peer, through a socket. */
  forwarded = 0;
  /** Data handed over to another client of this server. */
  handedOver = 0;
  readonly dropped: Record<TurnDrop, number> = {
    "too-short": 0,
    "not-stun": 0,
    "bad-length": 0,
    "attribute-overrun": 0,
    "too-many-attributes": 0,
    "bad-attribute": 0,
    "bad-fingerprint": 0,
    "fingerprint-not-last": 0,
    "not-for-a-server": 0,
    "bad-source": 0,
    "stranger-limit": 0,
    "not-awaited": 0,
    "no-allocation": 0,
    "no-permission": 0,
    "no-channel": 0,
    "bad-send": 0,
    "no-such-relay": 0,
    "not-permitted-there": 0,
    "too-long": 0,
    "user-rate": 0,
    "total-rate": 0,
    "byte-quota": 0,
  };
  /** Datagrams of peers. `received` is the sum of `delivered` and `dropped`. */
  readonly peers = {
    received: 0,
    delivered: 0,
    dropped: { "no-permission": 0, "too-long": 0, "user-rate": 0, "total-rate": 0, "byte-quota": 0 } as Record<PeerDrop, number>,
  };
  /** Payload relayed, all ways together. */
  bytes = 0;
}
