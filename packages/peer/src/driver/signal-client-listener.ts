import { EventEmitter } from "node:events";
import { PeerError } from "../errors.js";
import type { Identity } from "../identity.js";
import { Backoff } from "./signal-client-backoff.js";
import { SignalConnection } from "./signal-client-connection.js";
import { peerError, SignalFailure } from "./signal-client-failure.js";
import type { SignalLink } from "./signal-client-link.js";
import { checkUrls, DEFAULT_SIGNAL_TIMINGS, type RendezvousView, type SignalTimings } from "./signal-client-options.js";

export interface SignalListenerOptions {
  /** `ws://` or `wss://` URLs of rendezvous, tried in this order until one registers the room. */
  readonly urls: readonly string[];
  /** Whose room it is. */
  readonly identity: Identity;
  /** Closes the listener. */
  readonly signal?: AbortSignal;
  /** @default DEFAULT_SIGNAL_TIMINGS */
  readonly timings?: Partial<SignalTimings>;
}

export interface SignalListenerEvents {
  /** Registered, at this rendezvous; again after every `down`. */
  up: [RendezvousView];
  /** Somebody knocked. Data that comes before a handler is set is kept for it. */
  link: [SignalLink];
  /** The connection is lost, with its links, or no rendezvous would have us. It is tried again. */
  down: [PeerError];
  /** The last event. With an error: it was not `close` that ended it, and trying again would not help. */
  closed: [PeerError | undefined];
}

/**
 * Keeps a room registered with one of several rendezvous: connects again whenever the connection is lost, with growing waits.
 * It starts by itself, once whoever made it had time to attach handlers.
 */
export class SignalListener extends EventEmitter<SignalListenerEvents> {
  /**
   * Fulfilled when it is registered for the first time. Rejected when all rendezvous have failed once, with `rendezvous-unreachable`
   * or `rendezvous-refused`, though it keeps trying until it is closed; with `aborted` if it is closed before.
   */
  readonly ready: Promise<RendezvousView>;
  readonly #urls: readonly string[];
  readonly #identity: Identity;
  readonly #timings: SignalTimings;
  readonly #backoff: Backoff;
  readonly #over = new AbortController();
  /** The URL to try first. */
  #first = 0;

  /** @throws {PeerError} `usage` */
  constructor({ urls, identity, signal, timings }: SignalListenerOptions) {
    super();
    checkUrls(urls);
    this.#urls = urls;
    this.#identity = identity;
    this.#timings = { ...DEFAULT_SIGNAL_TIMINGS, ...timings };
    this.#backoff = new Backoff(this.#timings);
    this.ready = new Promise((resolve, reject) => {
      this.once("up", resolve);
      this.once("down", reject);
      this.once("closed", (error) => reject(error ?? new PeerError("aborted", "the listener was closed")));
    });
    // Whoever does not wait for it hears of failures by events.
    this.ready.catch(() => {});
    signal?.addEventListener("abort", () => this.close(), { signal: this.#over.signal });
    if (signal?.aborted) this.close();
    setImmediate(() => void this.#run());
  }

  /** Ends it, with all links. May be called again. */
  close(): void {
    this.#over.abort();
  }

  async #run(): Promise<void> {
    const over = this.#over.signal;
    let terminal: PeerError | undefined;
    while (!over.aborted && !terminal) {
      const failures = await this.#stayUp();
      if (over.aborted) break;
      const error = peerError(failures);
      if (failures.some(({ code }) => code === "replaced")) terminal = error;
      else {
        this.emit("down", error);
        await this.#backoff.wait(over);
      }
    }
    this.#over.abort();
    this.emit("closed", terminal);
  }

  /** Tries every URL once, and stays with the first that will have us; returns why that ended, or why none would. */
  async #stayUp(): Promise<SignalFailure[]> {
    const failures: SignalFailure[] = [];
    for (let i = 0; i < this.#urls.length && !this.#over.signal.aborted; i++) {
      const at = (this.#first + i) % this.#urls.length;
      const connection = await this.#connect(this.#urls[at] ?? "");
      if (connection instanceof SignalFailure) {
        failures.push(connection);
        continue;
      }
      const upSince = performance.now();
      this.emit("up", connection.view);
      const end = await connection.ended;
      // One that registers and then drops us each time is no better than one that does not answer.
      if (performance.now() - upSince >= this.#timings.maxBackoffMs) this.#backoff.reset();
      // "Elsewhere" it said.
      this.#first = end.code === "draining" ? at + 1 : 0;
      return [end];
    }
    this.#first = 0;
    return failures;
  }

  async #connect(url: string): Promise<SignalConnection | SignalFailure> {
    let connection: SignalConnection | undefined;
    try {
      connection = await SignalConnection.open(url, this.#timings, this.#over.signal);
      connection.on("link", (link) => this.emit("link", link));
      await connection.register(this.#identity);
      return connection;
    } catch (error) {
      connection?.close();
      if (error instanceof SignalFailure) return error;
      throw error;
    }
  }
}
