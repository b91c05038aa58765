import { setTimeout as sleep } from "node:timers/promises";
import type { SignalTimings } from "./signal-client-options.js";

/** Waits that grow from try to try, and that many clients who lost one rendezvous do not all end at once. */
export class Backoff {
  readonly #timings: Pick<SignalTimings, "minBackoffMs" | "maxBackoffMs">;
  #tries = 0;

  constructor(timings: Pick<SignalTimings, "minBackoffMs" | "maxBackoffMs">) {
    this.#timings = timings;
  }

  /** The next wait begins anew with the shortest. */
  reset(): void {
    this.#tries = 0;
  }

  /** Milliseconds, this time. */
  next(): number {
    const { minBackoffMs, maxBackoffMs } = this.#timings;
    const full = Math.min(maxBackoffMs, minBackoffMs * 2 ** this.#tries++);
    return full * (0.5 + Math.random() / 2);
  }

  /** Fulfilled after the next wait, or when the signal says so. */
  async wait(signal: AbortSignal): Promise<void> {
    await sleep(this.next(), undefined, { signal }).catch(() => {});
  }
}
