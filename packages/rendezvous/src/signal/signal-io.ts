import type { Endpoint, SignalErrorCode, SignalRelay } from "@awl/wire";
import type { ClientId } from "./client.js";
import type { SignalLimits } from "./limits.js";

export interface SignalServerOptions {
  /** @default DEFAULT_SIGNAL_LIMITS */
  readonly limits?: Partial<SignalLimits>;
  /** The UDP port of STUN, which clients are told. */
  readonly stunPort: number;
  /** Public addresses that have it, one a family, which clients are told too. @default none */
  readonly addresses?: readonly string[];
  /** Lets one side of a pair that has been admitted use relays. @default there are none */
  readonly relays?: (request: RelayRequest) => readonly SignalRelay[];
  /** That many random bytes, which nobody can predict. */
  readonly random: (length: number) => Buffer;
}

/** Whom relays are for. */
export interface RelayRequest {
  readonly user: "knocker" | "listener";
  /** The same for both sides of a link, and for no other. */
  readonly pair: string;
  /** Where the two connections come from. */
  readonly peers: readonly string[];
  readonly seconds: number;
}

export type SignalInput =
  /** A connection is open. `observed`: where it comes from, its address canonical. */
  | { readonly type: "connected"; readonly client: ClientId; readonly observed: Endpoint }
  /** A text message came. */
  | { readonly type: "text"; readonly client: ClientId; readonly text: string }
  /** A binary message came. Its memory may be reused afterwards. */
  | { readonly type: "binary"; readonly client: ClientId; readonly bytes: Uint8Array }
  /** A ping or pong of that many bytes came: no message, but no less work. */
  | { readonly type: "control"; readonly client: ClientId; readonly bytes: number }
  /** That many bytes wait to be sent to it. */
  | { readonly type: "waiting"; readonly client: ClientId; readonly bytes: number }
  /** The connection is closed, whoever closed it. */
  | { readonly type: "disconnected"; readonly client: ClientId }
  /** The process is about to end. */
  | { readonly type: "drain" }
  /** A deadline may have passed. */
  | { readonly type: "tick" };

export type SignalOutput =
  /** A text message, or a binary one. */
  | { readonly type: "send"; readonly client: ClientId; readonly data: string | Buffer }
  /** Close the connection with this code and reason (RFC 6455 section 7.4), behind what was sent to it. */
  | { readonly type: "close"; readonly client: ClientId; readonly code: number; readonly reason: SignalErrorCode }
  /** Hand in a tick at this time at the latest; replaces the wake before. */
  | { readonly type: "wake"; readonly at: number };
