import type { AddressFamily, Endpoint, PasswordAlgorithmChoice } from "@awl/wire";

/** Long-term credentials, RFC 8489 section 9.2. */
export interface TurnCredentials {
  readonly username: string;
  readonly password: string;
  /** With `nonce`: issued beforehand, so that the first Allocate already succeeds. */
  readonly realm?: string | undefined;
  readonly nonce?: string | undefined;
  /** What the server offered together with that nonce, in its order. @default SHA-1 is used until it offers better */
  readonly passwordAlgorithms?: readonly PasswordAlgorithmChoice[];
}

/** `stream`: TCP, or TLS over it, which delivers or dies: nothing is repeated. */
export type TurnTransport = "udp" | "stream";

export interface TurnClientOptions {
  readonly server: Endpoint;
  readonly transport: TurnTransport;
  readonly credentials: TurnCredentials;
  /** Of the relayed address. */
  readonly family: AddressFamily;
  /** Unguessable bytes. */
  readonly random: (bytes: number) => Buffer;
  /** After so long without a datagram to the server the mapping is kept alive; UDP only. @default 14_000 */
  readonly keepaliveMs?: number;
}

export type TurnInput =
  | { readonly type: "tick" }
  /** One datagram of the server's, or one frame of its stream (`StreamFramer`). */
  | { readonly type: "datagram"; readonly bytes: Buffer }
  /**
   * A datagram for a peer; its memory is the machine's now. Before there is an allocation, the latest few wait for it. To a peer
   * without a permission it leaves right behind the request for one: a server that takes its time may lose it, as UDP may.
   */
  | { readonly type: "relay"; readonly to: Endpoint; readonly bytes: Uint8Array }
  /** Who may send to us, in place of those named before; whoever is sent to may as well. */
  | { readonly type: "permit"; readonly peers: readonly Endpoint[] }
  /** Newer ones of the same user, before the old ones expire; without realm and nonce, those in use stay. */
  | { readonly type: "credentials"; readonly credentials: TurnCredentials }
  /** The socket or connection to the server has died. */
  | { readonly type: "lost"; readonly text: string }
  /** Gives the allocation back; go on until `ended`, which takes a second or two at most. */
  | { readonly type: "close" };

export type TurnOutput =
  /** To the server. */
  | { readonly type: "send"; readonly bytes: Buffer }
  /** From a peer; `bytes` is a view of the input. */
  | { readonly type: "data"; readonly from: Endpoint; readonly bytes: Buffer }
  | { readonly type: "event"; readonly event: TurnEvent }
  /** Call `handle` again at this time at the latest, in place of any time said before. */
  | { readonly type: "wake"; readonly at: number };

export type TurnEvent =
  /** `mapped`: what the server sees us as. */
  | { readonly event: "allocated"; readonly relayed: Endpoint; readonly mapped: Endpoint }
  /** The server does not relay to this address, for now. */
  | ({ readonly event: "refused"; readonly address: string } & TurnFailure)
  /** There is no allocation, and the client has ended. */
  | ({ readonly event: "failed"; readonly alternate?: AlternateServer } & TurnFailure)
  /** The allocation is gone, and the client has ended. */
  | ({ readonly event: "ended" } & TurnFailure);

export interface TurnFailure {
  readonly code: TurnFailureCode;
  /** One sentence. */
  readonly text: string;
}

/** Where a server sends us instead. RFC 8489 section 10. */
export interface AlternateServer {
  readonly endpoint: Endpoint;
  /** Whose certificate it has. @default the same as that of the server that says so */
  readonly domain?: string;
}

export type TurnFailureCode =
  /** No answer. */
  | "timeout"
  /** The socket or connection died. */
  | "lost"
  /** There were answers, and nobody who knows the password signed them. */
  | "integrity-violated"
  /** A 401 or 438 that cannot be followed: something is missing in it, or was taken out of it. */
  | "bad-challenge"
  /** A success that says not what it must say. */
  | "bad-answer"
  /** 401, to a request with our credentials. */
  | "unauthorized"
  /** 438, to a nonce that the server has just given. */
  | "stale-nonce"
  /** 300; followed by `RelaySearch`, where it leads somewhere. */
  | "try-alternate"
  /** 403 */
  | "forbidden"
  /** 437: this 5-tuple has another allocation, or none any more. */
  | "allocation-mismatch"
  /** 440 */
  | "unsupported-family"
  /** 441 */
  | "wrong-credentials"
  /** 442 */
  | "unsupported-transport"
  /** 443 */
  | "peer-family-mismatch"
  /** 486 */
  | "quota-reached"
  /** 508 */
  | "no-capacity"
  /** Any other error, such as 400 and 500. */
  | "refused"
  /** The allocation could not be refreshed in time. */
  | "expired"
  /** As asked for. */
  | "closed";
