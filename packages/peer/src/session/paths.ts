import type { Endpoint } from "@awl/wire";
import type { SocketId } from "./gathering.js";
import type { Pair } from "./pair.js";
import { PathKeeper } from "./path-keeper.js";

export type PathKind = "direct" | "relay";

/** Something that is due on a path. */
export interface PathDuty {
  readonly kind: PathKind;
  readonly pair: Pair;
  readonly duty: "probe" | "lost";
}

/** The paths that a session has: a direct one, one over relays, either or none. What is sent takes the best one there is. */
export class Paths {
  readonly #random: () => number;
  readonly #keepers = new Map<PathKind, PathKeeper>();
  #everConnected = false;
  #noneSince = 0;

  /** `random`: uniform in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  begin(now: number): void {
    this.#noneSince = now;
  }

  get(kind: PathKind): PathKeeper | undefined {
    return this.#keepers.get(kind);
  }

  get best(): PathKeeper | undefined {
    return this.#keepers.get("direct") ?? this.#keepers.get("relay");
  }

  /** Of the best one. */
  get kind(): PathKind | undefined {
    if (this.#keepers.has("direct")) return "direct";
    return this.#keepers.has("relay") ? "relay" : undefined;
  }

  /** Whether there ever was one. */
  get everConnected(): boolean {
    return this.#everConnected;
  }

  /** The moment at which the last one was lost, or at which there was none yet. */
  get noneSince(): number {
    return this.#noneSince;
  }

  /** A pair that works is a path from now on, in place of that of its kind. */
  take(now: number, kind: PathKind, pair: Pair): PathKeeper {
    const keeper = new PathKeeper(now, pair, this.#random);
    this.#keepers.set(kind, keeper);
    this.#everConnected = true;
    return keeper;
  }

  /** It is one no more; returns whether it was. */
  drop(now: number, kind: PathKind): boolean {
    const dropped = this.#keepers.delete(kind);
    if (dropped && this.#keepers.size === 0) this.#noneSince = now;
    return dropped;
  }

  /** Something authenticated came. `flowing`: of the peer's own accord. */
  heard(now: number, socket: SocketId, from: Endpoint, flowing: boolean): void {
    for (const keeper of this.#keepers.values()) if (keeper.pair.is(socket, from)) keeper.heard(now, flowing);
  }

  /** What is due. A path that is lost is one no more. */
  advance(now: number): PathDuty[] {
    const duties: PathDuty[] = [];
    for (const [kind, keeper] of this.#keepers) {
      const duty = keeper.advance(now);
      if (duty === "idle") continue;
      duties.push({ kind, pair: keeper.pair, duty });
      if (duty === "lost") this.drop(now, kind);
    }
    return duties;
  }

  get deadline(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.#keepers.values()].map(({ deadline }) => deadline));
  }
}
