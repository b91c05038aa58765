import type { Paths } from "./paths.js";

/** A session that has no path, and cannot find one, is given up after this long. */
const NO_PATH_MS = 300_000;

/** A first connection whose peer does not even send candidates is given up after this long. */
const NO_CANDIDATES_MS = 15_000;

/** When a session without a path ends, whatever is still being tried. `isUnheard`: the peer has not said where it can be reached. */
export function patienceEndsAt({ best, noneSince }: Paths, isUnheard: boolean): number {
  if (best) return Number.POSITIVE_INFINITY;
  return noneSince + (isUnheard ? NO_CANDIDATES_MS : NO_PATH_MS);
}
