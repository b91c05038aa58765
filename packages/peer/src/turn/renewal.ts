import type { Request } from "./transactions.js";
import type { TurnFailure, TurnFailureCode } from "./turn-io.js";

/** How permissions and channels reach the server. */
export interface Installer {
  /** Sends a request at once; what is sent behind it finds it carried out, unless the network lost it. */
  readonly begin: (now: number, request: Request) => void;
  /** Whether there are too many on the way already. */
  readonly full: () => boolean;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Where nothing was sent to for so long, permission and channel are left to expire. */
export const IDLE_MS = 300_000;

/** After a failure that may pass, and after one that probably will not. */
const RETRY_MS = 5_000;
const REFUSED_MS = 60_000;

/**
 * When to renew a permission, counted from its answer: a minute before its 300 s are over, which leaves time for a request that gets
 * lost, and up to a tenth earlier, so that those of many clients are not renewed in step. A channel takes its permission along.
 */
export function renewalMs(random: () => number): number {
  return 240_000 * (1 - 0.1 * random());
}

/** When to ask again after this failure. */
export function retryMs(failure: TurnFailure): number {
  return isPassing(failure) ? RETRY_MS : REFUSED_MS;
}

/** Nothing was said against the peer itself. */
export function isPassing({ code }: TurnFailure): boolean {
  return PASSING.has(code);
}

const PASSING: ReadonlySet<TurnFailureCode> = new Set([
  "timeout",
  "integrity-violated",
  "stale-nonce",
  // Until there are newer credentials.
  "unauthorized",
  "wrong-credentials",
]);
