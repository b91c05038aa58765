import { PeerError } from "../errors.js";
import { Backoff } from "./signal-client-backoff.js";
import { SignalConnection } from "./signal-client-connection.js";
import { peerError, SignalFailure } from "./signal-client-failure.js";
import type { SignalLink } from "./signal-client-link.js";
import { checkUrls, DEFAULT_SIGNAL_TIMINGS, type RendezvousView, type SignalTimings } from "./signal-client-options.js";

export interface KnockOptions {
  /** `ws://` or `wss://` URLs of rendezvous, tried in this order: the listener may be at any of them. */
  readonly urls: readonly string[];
  /** The listener's, as `roomOf` names it. */
  readonly room: string;
  /** Knock again, with growing waits, until there is a link or the signal ends it. @default false: every URL is tried once */
  readonly persist?: boolean;
  /** Ends the knocking; it then rejects with code `aborted`. A link that was made is not touched. */
  readonly signal?: AbortSignal;
  /** @default DEFAULT_SIGNAL_TIMINGS */
  readonly timings?: Partial<SignalTimings>;
}

export interface Knocked {
  /** With it ends the connection to the rendezvous, and with that the link. */
  readonly link: SignalLink;
  readonly rendezvous: RendezvousView;
}

/**
 * Gets a link with the listener of a room.
 *
 * @throws {PeerError} `no-such-listener`, `rendezvous-refused`, `rendezvous-unreachable`, `aborted`, `usage`
 */
export async function knock(options: KnockOptions): Promise<Knocked> {
  const { urls, room, persist = false, signal } = options;
  checkUrls(urls);
  const timings = { ...DEFAULT_SIGNAL_TIMINGS, ...options.timings };
  const backoff = new Backoff(timings);
  // One of our own, so that the caller's outlives no knock with a listener on it, and no knock's connection ends by it.
  const over = new AbortController();
  const abort = () => over.abort();
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  try {
    for (;;) {
      const failures: SignalFailure[] = [];
      for (const url of urls) {
        if (over.signal.aborted) throw new PeerError("aborted", "the knock was aborted");
        const knocked = await knockAt(url, room, timings, over.signal);
        if (!(knocked instanceof SignalFailure)) return knocked;
        failures.push(knocked);
      }
      if (!persist && !over.signal.aborted) throw peerError(failures);
      await backoff.wait(over.signal);
    }
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

async function knockAt(url: string, room: string, timings: SignalTimings, signal: AbortSignal): Promise<Knocked | SignalFailure> {
  let connection: SignalConnection | undefined;
  try {
    connection = await SignalConnection.open(url, timings, signal);
    const link = await connection.knock(room);
    return { link, rendezvous: connection.view };
  } catch (error) {
    connection?.close();
    if (error instanceof SignalFailure) return error;
    throw error;
  }
}
