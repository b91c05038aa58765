import type { AddressFamily, Endpoint } from "@awl/wire";
import type { RelayTransport } from "./relay-uri.js";
import type { TurnCredentials, TurnEvent, TurnFailure, TurnFailureCode, TurnInput, TurnOutput } from "./turn-io.js";

/** One server over one transport. */
export interface RelayServer {
  readonly transport: RelayTransport;
  readonly endpoint: Endpoint;
  /** As the URI names it: whose certificate it has to show. */
  readonly host: string;
  readonly credentials: TurnCredentials;
}

export interface RelaySearchOptions {
  /** Best first. */
  readonly servers: readonly RelayServer[];
  /** Known to be: streams are tried first, at once. @default false */
  readonly udpBlocked?: boolean;
  /** Of the relayed address. */
  readonly family: AddressFamily;
  /** Unguessable bytes. */
  readonly random: (bytes: number) => Buffer;
  /** As for a `TurnClient`. */
  readonly keepaliveMs?: number;
}

/** One socket or connection, and so one 5-tuple, to one server. */
export type LinkId = number;

export type RelaySearchInput =
  | Extract<TurnInput, { readonly type: "tick" | "relay" | "permit" | "credentials" | "close" }>
  /** A link can be used. */
  | { readonly type: "opened"; readonly link: LinkId }
  /** A link could not be opened, or has died. */
  | { readonly type: "lost"; readonly link: LinkId; readonly text: string }
  | { readonly type: "datagram"; readonly link: LinkId; readonly bytes: Buffer };

export type RelaySearchOutput =
  /** Answered by `opened` or `lost`. No two links to one server may share a local port. */
  | ({ readonly type: "open"; readonly link: LinkId } & Pick<RelayServer, "transport" | "endpoint" | "host">)
  | { readonly type: "send"; readonly link: LinkId; readonly bytes: Buffer }
  | { readonly type: "close-link"; readonly link: LinkId }
  | Extract<TurnOutput, { readonly type: "data" | "wake" }>
  | { readonly type: "event"; readonly event: RelayEvent };

export type RelayEvent =
  | (Extract<TurnEvent, { readonly event: "allocated" }> & { readonly server: RelayServer; readonly link: LinkId })
  | Extract<TurnEvent, { readonly event: "refused" | "ended" }>
  /** There is no relay, and the search has ended. */
  | { readonly event: "failed"; readonly failures: readonly RelayFailure[]; readonly text: string };

/** Why one way to one server led nowhere. */
export interface RelayFailure extends TurnFailure {
  readonly code: TurnFailureCode;
  readonly transport: RelayTransport;
  readonly endpoint: Endpoint;
}
