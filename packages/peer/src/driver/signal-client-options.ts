import type { Endpoint } from "@awl/wire";
import { PeerError } from "../errors.js";
import { canonicalServer } from "../ticket.js";

/** All in milliseconds. */
export interface SignalTimings {
  /** For a rendezvous to accept a connection and welcome, then again to answer. @default 5000 */
  readonly timeoutMs: number;
  /** Without a ping, or anything else, from the rendezvous, after which the connection is dead. It pings every 20 s. @default 45000 */
  readonly silenceMs: number;
  /** Before the second try; doubled before each one after that. Each wait is shortened by a random part, half at most. @default 100 */
  readonly minBackoffMs: number;
  /** @default 5000 */
  readonly maxBackoffMs: number;
}

export const DEFAULT_SIGNAL_TIMINGS: SignalTimings = { timeoutMs: 5000, silenceMs: 45_000, minBackoffMs: 100, maxBackoffMs: 5_000 };

/** What a rendezvous says to who connects. */
export interface RendezvousView {
  readonly url: string;
  /** Where one's own connection comes from, as seen by the rendezvous. Only its address means something to UDP. */
  readonly observed: Endpoint;
  /** Its STUN servers, one a family, IPv4 first. */
  readonly stun: readonly Endpoint[];
}

/** @throws {PeerError} `usage`: no URL, or one that is not `ws://` or `wss://` */
export function checkUrls(urls: readonly string[]): void {
  if (urls.length === 0) throw new PeerError("usage", "no rendezvous given");
  for (const url of urls) {
    if (canonicalServer(url) === undefined) throw new PeerError("usage", `not the ws:// or wss:// URL of a rendezvous: '${url}'`);
  }
}
