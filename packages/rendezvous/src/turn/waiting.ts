import type { ClientPath, RelayId } from "./allocation.js";
import type { TurnCounters } from "./counters.js";

interface Postponed {
  readonly path: ClientPath;
  readonly bytes: Buffer;
}

/** Requests of one relay that wait at once. A socket is bound within milliseconds: honest clients have one or two. */
const MAX_WAITING = 8;
/** Bytes. The largest honest request, a CreatePermission for a few dozen addresses, is smaller. */
const MAX_LENGTH = 2048;

/** Requests that wait until their relay has its socket. */
export class Waiting {
  readonly #counters: TurnCounters;
  readonly #requests = new Map<RelayId, Postponed[]>();
  #size = 0;

  constructor(counters: TurnCounters) {
    this.#counters = counters;
  }

  get size(): number {
    return this.#size;
  }

  /** `false`: too many wait already, or it is too long. */
  add(relay: RelayId, path: ClientPath, bytes: Buffer): boolean {
    const requests = this.#requests.get(relay) ?? [];
    if (requests.length >= MAX_WAITING || bytes.length > MAX_LENGTH) return false;
    this.#requests.set(relay, [...requests, { path, bytes: Buffer.from(bytes) }]);
    this.#size++;
    return true;
  }

  /** Takes out all of this relay's. */
  take(relay: RelayId): readonly Postponed[] {
    const requests = this.#requests.get(relay) ?? [];
    this.#requests.delete(relay);
    this.#size -= requests.length;
    return requests;
  }

  /** Forgets them: the relay is no more. */
  drop(relay: RelayId): void {
    this.#counters.dropped["not-awaited"] += this.take(relay).length;
  }
}
