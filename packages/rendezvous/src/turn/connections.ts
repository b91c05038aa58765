import { sourceOf } from "../signal/source.js";
import { Tally } from "../signal/tally.js";
import type { ClientPath, ConnectionId } from "./allocation.js";
import type { TurnLimits } from "./limits.js";

interface Connection {
  readonly path: ClientPath;
  readonly source: string;
  /** When it was last seen to have an allocation, or was opened. */
  usedAt: number;
}

/** The TCP and TLS connections. One that gets itself no allocation is not kept for long. */
export class Connections {
  readonly #limits: TurnLimits;
  readonly #connections = new Map<ConnectionId, Connection>();
  readonly #sources = new Tally();

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** `false`: there are too many. */
  open(now: number, connection: ConnectionId, path: ClientPath): boolean {
    const source = sourceOf(path.remote.address);
    const full = this.#connections.size >= this.#limits.connections || this.#sources.of(source) >= this.#limits.connectionsPerAddress;
    if (full) return false;
    this.#connections.set(connection, { path, source, usedAt: now });
    this.#sources.add(source);
    return true;
  }

  path(connection: ConnectionId): ClientPath | undefined {
    return this.#connections.get(connection)?.path;
  }

  close(connection: ConnectionId): void {
    const known = this.#connections.get(connection);
    if (!known) return;
    this.#connections.delete(connection);
    this.#sources.remove(known.source);
  }

  /** Those without an allocation for too long. */
  idle(now: number, hasAllocation: (connection: ConnectionId) => boolean): ConnectionId[] {
    const idle: ConnectionId[] = [];
    for (const [connection, known] of this.#connections) {
      if (hasAllocation(connection)) known.usedAt = now;
      else if (known.usedAt + this.#limits.connectionIdleMs <= now) idle.push(connection);
    }
    return idle;
  }
}
