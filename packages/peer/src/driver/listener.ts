import { EventEmitter } from "node:events";
import type { Report } from "@awl/nat-probe";
import { type Endpoint, formatEndpoint } from "@awl/wire";
import type { PeerError } from "../errors.js";
import { decodeGreeting, encodeGreeting, sessionIdOf, verifyResumption } from "../handshake/greeting.js";
import type { Identity } from "../identity.js";
import type { AllowedPaths, SessionEvent } from "../session/session-io.js";
import { encodeTicket } from "../ticket.js";
import type { SecureChannel } from "./handshake/secure-channel.js";
import { natReport, summaryOf } from "./nat-report.js";
import { nextMessage, secureLink } from "./secure-link.js";
import { SessionDriver } from "./session-driver.js";
import { type RendezvousView, type SignalLink, SignalListener } from "./signal-client.js";

export interface ListenOptions {
  /** `ws://` or `wss://` URLs of rendezvous; all of them go into the ticket. */
  readonly servers: readonly string[];
  readonly identity: Identity;
  /** The ticket's secret, 16 bytes. */
  readonly secret: Uint8Array;
  /** Whether a holder of the ticket with this key may come in. @default everybody who has the ticket */
  readonly allow?: (key: Uint8Array) => boolean;
  /** @default any */
  readonly paths?: AllowedPaths;
}

/** One connector that is in. */
export interface ListenerSession {
  /** Its Ed25519 public key, 32 bytes. */
  readonly peerKey: Uint8Array;
  close(code: string, text: string): Promise<void>;
}

export interface ListenerEvents {
  /** Registered at a rendezvous. */
  up: [RendezvousView];
  /** No rendezvous has us now; living sessions go on. */
  down: [PeerError];
  /** What nat-probe says of this side. */
  nat: [Report];
  session: [ListenerSession];
  event: [ListenerSession, SessionEvent];
  /** A holder of no ticket, or somebody who is not allowed, was turned away. */
  refused: [Error];
  /** The last event. With an error: it was not `close` that ended it. */
  closed: [PeerError | undefined];
}

/** A knock costs a handshake. So many at once are served, the rest is turned away. */
const MAX_HANDSHAKES = 32;
const MAX_SESSIONS = 256;

/** From the end of a handshake to the connector's first message. */
const GREETING_MS = 5_000;

/** Credentials for relays are asked for anew: a rendezvous gives them for two hours, and others after one. */
const RELAY_RENEWAL_MS = 3_610_000;

interface Running extends ListenerSession {
  /** Whether it has a path. */
  connected: boolean;
  readonly driver: SessionDriver;
  readonly keys: SecureChannel["keys"];
}

/** Waits at its rendezvous for holders of its ticket, and holds a session with each. */
export class Listener extends EventEmitter<ListenerEvents> {
  readonly ticket: string;
  /** As that of `SignalListener`. */
  readonly ready: Promise<RendezvousView>;
  readonly #options: ListenOptions;
  readonly #signal: SignalListener;
  readonly #sessions = new Map<string, Running>();
  #spare: SessionDriver | undefined;
  #stun: readonly Endpoint[] = [];
  #nat: Report | undefined;
  #handshakes = 0;
  readonly #over = new AbortController();

  /** @throws {PeerError} `usage`: no server, or one that is none */
  constructor(options: ListenOptions) {
    super();
    this.#options = options;
    const { servers, identity, secret } = options;
    this.ticket = encodeTicket({ servers, key: identity.publicKey, secret });
    this.#signal = new SignalListener({ urls: servers, identity });
    this.ready = this.#signal.ready;
    this.#signal.on("up", (view) => this.#up(view));
    this.#signal.on("down", (error) => this.emit("down", error));
    this.#signal.on("link", (link) => void this.#admit(link));
    this.#signal.on("closed", (error) => void this.#ended(error));
  }

  /** Says goodbye to all who are in. May be called again. */
  async close(): Promise<void> {
    this.#over.abort();
    await Promise.all([...this.#sessions.values()].map((session) => session.close("closed", "The listener has ended.")));
    this.#signal.close();
    await this.#spare?.discard();
    this.#spare = undefined;
  }

  get #closed(): boolean {
    return this.#over.signal.aborted;
  }

  #up(view: RendezvousView): void {
    const { stun } = view;
    if (this.#closed) return;
    const moved = stun.map(formatEndpoint).join() !== this.#stun.map(formatEndpoint).join();
    this.#stun = stun;
    if (moved) void this.#spare?.discard();
    if (moved) this.#spare = new SessionDriver(stun);
    if (moved) void this.#learnNat(stun);
    this.emit("up", view);
  }

  async #learnNat(stun: readonly Endpoint[]): Promise<void> {
    const report = await natReport(stun, this.#over.signal);
    if (!report || this.#closed) return;
    this.#nat = report;
    this.emit("nat", report);
    for (const { driver } of this.#sessions.values()) driver.tellNat(summaryOf(report));
  }

  async #admit(link: SignalLink): Promise<void> {
    if (this.#handshakes >= MAX_HANDSHAKES || this.#closed) return link.close();
    this.#handshakes += 1;
    const { identity, secret, allow } = this.#options;
    try {
      const who = { role: "listener", secret, identity, listenerKey: identity.publicKey } as const;
      const channel = await secureLink(link, { ...who, ...(allow && { allow }) });
      const message = await nextMessage(channel, GREETING_MS);
      const greeting = message && decodeGreeting(message);
      if (greeting?.type === "begin" && !this.#closed && this.#makeRoom()) this.#relay(link, channel, this.#begin(channel));
      else if (greeting?.type === "resume") this.#relay(link, channel, this.#resume(channel, greeting.session, greeting.proof));
      else channel.close();
    } catch (error) {
      this.emit("refused", error as Error);
    } finally {
      this.#handshakes -= 1;
    }
  }

  /** Returns whether there is room for another session. The oldest one without a path, whose peer may be long gone, makes it. */
  #makeRoom(): boolean {
    if (this.#sessions.size < MAX_SESSIONS) return true;
    const [id, idle] = [...this.#sessions].find(([, { connected }]) => !connected) ?? [];
    if (!id || !idle) return false;
    this.#sessions.delete(id);
    void idle.close("crowded-out", "The listener has too many sessions, and this one had no path.");
    return true;
  }

  /** Lets both sides use relays, as long as the link lives. */
  #relay(link: SignalLink, channel: SecureChannel, driver: SessionDriver | undefined): void {
    if (!driver || this.#options.paths === "direct-only") return;
    driver.useRelaysOf(link);
    link.admit();
    const renewal = setInterval(() => link.admit(), RELAY_RENEWAL_MS).unref();
    void channel.closed.then(() => clearInterval(renewal));
  }

  #begin(channel: SecureChannel): SessionDriver {
    const id = sessionIdOf(channel.keys);
    const driver = this.#spare ?? new SessionDriver(this.#stun);
    this.#spare = new SessionDriver(this.#stun);
    const { peerKey, keys } = channel;
    const session: Running = { peerKey, keys, driver, connected: false, close: (code, text) => driver.close(code, text) };
    this.#sessions.set(id, session);
    this.emit("session", session);
    const { paths = "any" } = this.#options;
    driver.start("listener", channel, { startedAt: performance.now(), paths }, (event) => {
      if (event.event === "path" || event.event === "lost") session.connected = event.event === "path";
      if (event.event === "closed") this.#sessions.delete(id);
      this.emit("event", session, event);
    });
    if (this.#nat) driver.tellNat(summaryOf(this.#nat));
    return driver;
  }

  #resume(channel: SecureChannel, id: string, proof: string): SessionDriver | undefined {
    const session = this.#sessions.get(id);
    const known = session && Buffer.compare(session.peerKey, channel.peerKey) === 0 && verifyResumption(session.keys, channel.keys, proof);
    channel.send(encodeGreeting({ type: known ? "resumed" : "unknown-session" }));
    if (known) session.driver.attach(channel);
    else channel.close();
    return known ? session.driver : undefined;
  }

  async #ended(error: PeerError | undefined): Promise<void> {
    await this.close();
    this.emit("closed", error);
  }
}
