import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Report } from "@awl/nat-probe";
import { roomOf } from "@awl/wire";
import { PeerError } from "../errors.js";
import { decodeReply, encodeGreeting, proveResumption, sessionIdOf } from "../handshake/greeting.js";
import type { Identity } from "../identity.js";
import type { AllowedPaths, SessionEvent } from "../session/session-io.js";
import type { Ticket } from "../ticket.js";
import type { SecureChannel } from "./handshake/secure-channel.js";
import { natReport, summaryOf } from "./nat-report.js";
import { nextMessage, secureLink } from "./secure-link.js";
import { SessionDriver } from "./session-driver.js";
import { knock } from "./signal-client.js";

export interface ConnectOptions {
  readonly ticket: Ticket;
  readonly identity: Identity;
  /** Gives up connecting; it then rejects with `aborted`. */
  readonly signal?: AbortSignal;
  /** @default any */
  readonly paths?: AllowedPaths;
}

export interface ConnectorEvents {
  /** What nat-probe says of this side. */
  nat: [Report];
  event: [SessionEvent];
}

const REPLY_MS = 5_000;

/** The listener may be about to start, or to find its rendezvous again. */
const LISTENER_PATIENCE_MS = 5_000;

/** Waits between attempts to get the channel back, milliseconds: a listener that turns us away is not to be asked all the time. */
const MIN_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;

/** A session with a listener. Its events tell of paths; it outlives them, and the rendezvous. */
export class Connector extends EventEmitter<ConnectorEvents> {
  readonly #options: ConnectOptions;
  readonly #over = new AbortController();
  #driver: SessionDriver | undefined;
  #keys: SecureChannel["keys"] | undefined;

  private constructor(options: ConnectOptions) {
    super();
    this.#options = options;
  }

  /**
   * Meets the listener. Fulfilled when both have proven who they are; a path is then being looked for, so attach handlers at once.
   *
   * @throws {PeerError} `rendezvous-unreachable`, `rendezvous-refused`, `no-such-listener`, `ticket-refused`, `not-allowed`, … `aborted`
   */
  static async connect(options: ConnectOptions): Promise<Connector> {
    const connector = new Connector(options);
    await connector.#connect();
    return connector;
  }

  ping(): void {
    this.#driver?.ping();
  }

  /** Says goodbye. May be called again. */
  async close(): Promise<void> {
    this.#over.abort();
    await this.#driver?.close("closed", "The connector has ended.");
  }

  async #connect(): Promise<void> {
    const startedAt = performance.now();
    const { signal, paths = "any" } = this.#options;
    const { link, rendezvous } = await knock({ ...this.#whom, patienceMs: LISTENER_PATIENCE_MS, ...(signal && { signal }) });
    // Gathers while the handshake is under way.
    const driver = new SessionDriver(rendezvous.stun);
    try {
      const channel = await secureLink(link, { ...this.#credentials, ...(signal && { signal }) });
      channel.send(encodeGreeting({ type: "begin" }));
      this.#driver = driver;
      this.#keys = channel.keys;
      driver.useRelaysOf(link);
      setImmediate(() => driver.start("connector", channel, { startedAt, paths }, (event) => this.#handle(event)));
      setImmediate(() => this.#watch(channel));
      void natReport(rendezvous.stun, this.#over.signal).then((report) => {
        if (!report) return;
        this.emit("nat", report);
        driver.tellNat(summaryOf(report));
      });
    } catch (error) {
      await driver.discard();
      throw error;
    }
  }

  #handle(event: SessionEvent): void {
    if (event.event === "closed") this.#over.abort();
    this.emit("event", event);
  }

  /** When the rendezvous is lost, the session goes on; its channel is made anew when there is one again. */
  #watch(channel: SecureChannel): void {
    void channel.closed.then(async () => {
      if (!this.#over.signal.aborted) await this.#reconnect();
    });
  }

  async #reconnect(): Promise<void> {
    const signal = this.#over.signal;
    for (let waitMs = MIN_RETRY_MS; !signal.aborted; waitMs = Math.min(MAX_RETRY_MS, 2 * waitMs)) {
      try {
        const { link } = await knock({ ...this.#whom, persist: true, signal });
        const channel = await secureLink(link, { ...this.#credentials, signal });
        this.#driver?.useRelaysOf(link);
        if (await this.#resume(channel)) return;
      } catch (error) {
        if (error instanceof PeerError && error.code === "aborted") return;
      }
      // Knocking waits by itself while nobody answers; this is for those who do, and then break off.
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Returns whether there is nothing more to be done. */
  async #resume(channel: SecureChannel): Promise<boolean> {
    if (!this.#keys || !this.#driver) return true;
    const proof = proveResumption(this.#keys, channel.keys);
    channel.send(encodeGreeting({ type: "resume", session: sessionIdOf(this.#keys), proof }));
    const message = await nextMessage(channel, REPLY_MS);
    const reply = message && decodeReply(message);
    if (!reply) {
      channel.close();
      return false;
    }
    if (reply.type === "unknown-session") {
      await this.#driver.close("gone", "The listener was restarted and does not know this session any more.");
      return true;
    }
    this.#driver.attach(channel);
    this.#watch(channel);
    return true;
  }

  get #whom() {
    const { servers, key } = this.#options.ticket;
    return { urls: servers, room: roomOf(key) };
  }

  get #credentials() {
    const { ticket, identity } = this.#options;
    return { role: "connector", secret: ticket.secret, identity, listenerKey: ticket.key } as const;
  }
}
