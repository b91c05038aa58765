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
  /** For a listener that is not there yet, milliseconds. @default 0: every URL is tried once */
  readonly patienceMs?: number;
  /** Wait for a rendezvous that is not there as well, and for both as long as it takes. @default false */
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
  const { urls, room, persist = false, patienceMs = 0, signal } = options;
  checkUrls(urls);
  const timings = { ...DEFAULT_SIGNAL_TIMINGS, ...options.timings };
  const backoff = new Backoff(timings);
  // For the listener: no longer waits have grown while there was no rendezvous.
  const absence = new Backoff({ ...timings, maxBackoffMs: Math.min(timings.maxBackoffMs, MAX_ABSENCE_WAIT_MS) });
  const startedAt = performance.now();
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
      const absent = failures.some(({ code }) => code === "no-such-room");
      const patient = persist || (absent && performance.now() - startedAt < patienceMs);
      if (!patient && !over.signal.aborted) throw peerError(failures);
      await (absent ? absence : backoff).wait(over.signal);
    }
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** What a rendezvous bears from everyone whose listener is away. */
const MAX_ABSENCE_WAIT_MS = 2_000;

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
