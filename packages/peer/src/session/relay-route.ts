import type { AddressFamily, Endpoint } from "@awl/wire";
import { RelaySearch } from "../turn/relay-search.js";
import type { LinkId, RelayEvent, RelaySearchInput, RelaySearchOutput, RelayServer } from "../turn/relay-search-io.js";
import type { Check, Checks } from "./check.js";
import { Checklist } from "./checklist.js";
import type { ControlMessage } from "./control-message.js";
import type { SocketId } from "./gathering.js";
import type { Pair } from "./pair.js";

/** What is sent on this socket travels over the relay, and what comes on it has. */
export const RELAY_SOCKET: SocketId = -1;

/** A relay that was lost, or that could not be had, is asked for again after such waits, milliseconds; the last one stays. */
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/** More links than one search opens: so the links of two searches never share a number. */
const LINKS_A_SEARCH = 256;

/** What the driver does for a relay: sockets and connections to servers. */
export type RelayOutput = Extract<RelaySearchOutput, { type: "open" | "send" | "close-link" }>;

/** What the driver tells of them. */
export type RelayInput = Extract<RelaySearchInput, { type: "opened" | "lost" | "datagram" }>;

export interface RelayRouteOptions {
  readonly checks: Checks;
  readonly random: (bytes: number) => Buffer;
  /** Says something to the peer. */
  readonly say: (now: number, message: ControlMessage) => void;
  /** A datagram came over the relay. */
  readonly receive: (now: number, from: Endpoint, bytes: Buffer) => void;
}

/**
 * The way over relays: from our relayed address to the peer's. Both sides have one, so it works whatever their NATs do, and neither
 * shows the relay an address of its own. RFC 8656.
 */
export class RelayRoute {
  readonly #options: RelayRouteOptions;
  #servers: readonly RelayServer[] = [];
  #udpBlocked = false;
  #search: RelaySearch | undefined;
  #searches = 0;
  #failures = 0;
  #family: AddressFamily = 4;
  #retryAt = Number.POSITIVE_INFINITY;
  #wakeAt = Number.POSITIVE_INFINITY;
  #relayed: Endpoint | undefined;
  #remote: Endpoint | undefined;
  #checklist: Checklist | undefined;
  #outbox: RelayOutput[] = [];
  #why: string | undefined;

  constructor(options: RelayRouteOptions) {
    this.#options = options;
  }

  /**
   * Servers that we may use, best first, in place of those named before. `renewed`: they know us as they did; if not, the relay that we
   * have is given back, as it takes two who are known as one pair.
   */
  offer(now: number, servers: readonly RelayServer[], renewed: boolean, udpBlocked: boolean): void {
    this.#servers = servers;
    this.#udpBlocked = udpBlocked;
    this.#failures = 0;
    const [server] = servers;
    if (!server) return;
    if (!this.#search) this.#begin(now);
    else if (renewed) this.#feed(now, { type: "credentials", credentials: server.credentials });
    else this.#feed(now, { type: "close" });
  }

  /** The peer's relayed address. */
  peerOffered(now: number, remote: Endpoint): void {
    this.#remote = remote;
    this.#pairUp(now);
  }

  handle(now: number, input: RelayInput): void {
    if (Math.trunc(input.link / LINKS_A_SEARCH) === this.#searches) this.#feed(now, { ...input, link: input.link % LINKS_A_SEARCH });
  }

  /** Sends a datagram to the peer. */
  send(now: number, bytes: Buffer): void {
    if (this.#remote) this.#feed(now, { type: "relay", to: this.#remote, bytes });
  }

  /** An authenticated check came over the relay: returns the pair if it works. */
  checked(now: number, from: Endpoint, check: Check): Pair | undefined {
    const pair =
      check.type === "request"
        ? this.#checklist?.requested(now, RELAY_SOCKET, from, check)
        : this.#checklist?.answered(now, RELAY_SOCKET, from, check);
    return pair?.valid ? pair : undefined;
  }

  /** Checks the pair in use now. */
  probe(now: number, pair: Pair): void {
    this.#checklist?.check(now, pair);
  }

  /** The way works no more, and a relay that was restarted does not say so: another is asked for. */
  restart(now: number): void {
    this.#feed(now, { type: "close" });
  }

  advance(now: number): void {
    if (now >= this.#retryAt) this.#begin(now);
    if (now >= this.#wakeAt) {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#feed(now, { type: "tick" });
    }
    for (const { bytes } of this.#checklist?.poll(now) ?? []) this.send(now, bytes);
  }

  poll(): RelayOutput[] {
    return this.#outbox.splice(0);
  }

  get deadline(): number {
    return Math.min(this.#retryAt, this.#wakeAt, this.#checklist?.deadline ?? Number.POSITIVE_INFINITY);
  }

  /** Our relayed address. */
  get relayed(): Endpoint | undefined {
    return this.#relayed;
  }

  /** Whether it is too early to say that there is no relay. */
  get isHopeful(): boolean {
    return this.#servers.length > 0 && this.#failures === 0;
  }

  /** Why there is no relay, in a sentence; `undefined`: there is one, or none was named. */
  get why(): string | undefined {
    return this.#why;
  }

  /** Gives the relay back. */
  stop(now: number): void {
    this.#feed(now, { type: "close" });
    this.#servers = [];
    this.#retryAt = Number.POSITIVE_INFINITY;
  }

  #begin(now: number): void {
    this.#retryAt = Number.POSITIVE_INFINITY;
    if (this.#servers.length === 0) return;
    this.#searches += 1;
    this.#search = new RelaySearch({
      servers: this.#servers,
      udpBlocked: this.#udpBlocked,
      family: this.#family,
      random: this.#options.random,
    });
    this.#feed(now, { type: "tick" });
  }

  #feed(now: number, input: RelaySearchInput): void {
    for (const output of this.#search?.handle(now, input) ?? []) {
      switch (output.type) {
        case "data":
          this.#options.receive(now, output.from, output.bytes);
          break;
        case "event":
          this.#heed(now, output.event);
          break;
        case "wake":
          this.#wakeAt = output.at;
          break;
        default:
          this.#outbox.push({ ...output, link: this.#linkOf(output.link) });
      }
    }
  }

  #heed(now: number, event: RelayEvent): void {
    switch (event.event) {
      case "allocated":
        this.#failures = 0;
        this.#why = undefined;
        this.#relayed = event.relayed;
        this.#options.say(now, { type: "relayed", ...event.relayed });
        return this.#pairUp(now);
      case "refused":
        this.#why = event.text;
        return;
      case "failed":
        if (event.failures.some(({ code }) => code === "unsupported-family")) this.#family = this.#family === 4 ? 6 : 4;
        return this.#lost(now, event.text);
      case "ended":
        return this.#lost(now, event.text);
    }
  }

  #lost(now: number, why: string): void {
    this.#search = undefined;
    this.#relayed = undefined;
    this.#checklist = undefined;
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.#why = why;
    this.#retryAt = now + (RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)] ?? 0);
    this.#failures += 1;
  }

  /** Nobody aims us anywhere with the address that he offers: the relay alone sends to it, and has its own mind about that. */
  #pairUp(now: number): void {
    if (!this.#relayed || !this.#remote) return;
    const { checks, random } = this.#options;
    const sockets = new Map(([4, 6] as const).map((family) => [family, RELAY_SOCKET]));
    this.#checklist = new Checklist(checks, sockets, [{ ...this.#remote, type: "relayed" }], NO_ADDRESSES, random);
    this.#feed(now, { type: "permit", peers: [this.#remote] });
    this.#checklist.startAll(now);
  }

  #linkOf(link: LinkId): LinkId {
    return this.#searches * LINKS_A_SEARCH + link;
  }
}

const NO_ADDRESSES: ReadonlySet<string> = new Set();
