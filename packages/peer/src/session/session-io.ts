import type { AddressFamily, Endpoint } from "@awl/wire";
import type { Role } from "../handshake/role.js";
import type { SessionKeys } from "../handshake/session-keys.js";
import type { RelayServer } from "../turn/relay-search-io.js";
import type { Candidate, Strategy } from "./candidate.js";
import type { NatSummary } from "./control-message.js";
import type { DatagramSend, Gathering, SocketId } from "./gathering.js";
import type { RelayInput, RelayOutput } from "./relay-route.js";

/** Which kinds of path a session may use. */
export type AllowedPaths = "any" | "direct-only" | "relay-only";

export interface SessionOptions {
  readonly role: Role;
  readonly keys: Pick<SessionKeys, "checks" | "datagrams">;
  /** Families that this host has addresses of; one socket each. */
  readonly families: readonly AddressFamily[];
  /** STUN servers, of any family. */
  readonly stun: readonly Endpoint[];
  /** Addresses of this host, which no peer can make us send to. */
  readonly own: ReadonlySet<string>;
  /** @default any */
  readonly paths?: AllowedPaths;
  /** When the caller asked to connect, on the clock of `now`: `elapsedMs` counts from here. */
  readonly startedAt: number;
  /** Unguessable bytes. */
  readonly random: (bytes: number) => Buffer;
  /** Sockets gathered in advance; their ids are below `firstSocket`. */
  readonly spare?: Gathering;
  /** The first id that the session may give to a socket of its own. @default 0 */
  readonly firstSocket?: SocketId;
}

/** What arrived and was not the peer's, by what was wrong with it. */
export type SessionCounters = Record<"not-a-check" | "not-sealed" | "forged" | "replayed" | "no-path", number>;

export type SessionInput =
  | { readonly type: "tick" }
  | { readonly type: "datagram"; readonly socket: SocketId; readonly from: Endpoint; readonly bytes: Buffer }
  /** A socket is bound. `hosts`: its local endpoints, none where there is no network of that family. */
  | { readonly type: "opened"; readonly socket: SocketId; readonly hosts: readonly Endpoint[] }
  /** The TLS session that the rendezvous forwards is there, or gone. */
  | { readonly type: "signal"; readonly up: boolean }
  | { readonly type: "control"; readonly bytes: Uint8Array }
  /** What nat-probe says of this side. */
  | { readonly type: "nat"; readonly nat: NatSummary }
  /** Relays that both sides may use, best first. `renewed`: with newer credentials of the same pair. */
  | { readonly type: "relays"; readonly servers: readonly RelayServer[]; readonly renewed: boolean }
  /** Of a socket or connection to a relay. */
  | { readonly type: "relay"; readonly input: RelayInput }
  /** A datagram of the application's. */
  | { readonly type: "data"; readonly payload: Uint8Array }
  | { readonly type: "ping" }
  | { readonly type: "close"; readonly code: string; readonly text: string };

export type SessionOutput =
  | { readonly type: "open"; readonly socket: SocketId; readonly family: AddressFamily }
  | { readonly type: "close-socket"; readonly socket: SocketId }
  | ({ readonly type: "send" } & DatagramSend)
  /** To be done with a socket or connection to a relay. */
  | { readonly type: "relay"; readonly output: RelayOutput }
  /** To be sent inside the TLS session. */
  | { readonly type: "control"; readonly bytes: Buffer }
  | { readonly type: "event"; readonly event: SessionEvent }
  /** Call `handle` again at this time at the latest, in place of any time said before. */
  | { readonly type: "wake"; readonly at: number };

export interface PathEvent {
  readonly event: "path";
  readonly kind: "direct" | "relay";
  readonly pair: { readonly local: Candidate; readonly remote: Candidate };
  readonly strategy: Strategy;
  /** From the wish to connect until this path was authenticated both ways. */
  readonly elapsedMs: number;
  /** From both sides' candidates being known here to the same moment; `null`: nothing was punched. */
  readonly punchMs: number | null;
  readonly rttMs: number;
}

export interface Tried {
  readonly strategy: string;
  readonly outcome: "succeeded" | "failed";
  readonly packets: number;
  readonly ms: number;
}

export interface ReasonEvent {
  readonly event: "reason";
  /** `none`: there is no path at all. */
  readonly path: "direct" | "relay" | "none";
  readonly local: NatSummary | null;
  readonly remote: NatSummary | null;
  readonly tried: readonly Tried[];
  /** One sentence. */
  readonly text: string;
}

export type SessionEvent =
  | PathEvent
  | ReasonEvent
  /** The path in use is dead; another is being looked for. */
  | { readonly event: "lost" }
  | { readonly event: "data"; readonly payload: Buffer }
  | { readonly event: "pong"; readonly seq: number; readonly rttMs: number; readonly kind: "direct" | "relay" }
  | { readonly event: "peer-nat"; readonly nat: NatSummary }
  /** The last event there is. */
  | { readonly event: "closed"; readonly code: string; readonly text: string };
