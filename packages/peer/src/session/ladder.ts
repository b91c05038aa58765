import type { Role } from "../handshake/role.js";

/** One way to begin: who sends the openers, and how far they go. */
export interface Step {
  /** `both`: nobody opens, both check at once. That needs no hop between the NATs, but good timing. */
  readonly opener: Role | "both";
  /** Far enough to open the opener's own NATs, too short to reach the peer's. */
  readonly ttl: number;
}

/**
 * Routers exist that confirm an uninvited packet and then give our own flow to its sender another port, so who comes first to whose router
 * decides. Each try, on fresh sockets, does it another way round; together they need to know neither how many NATs there are
 * on each side nor which of them do this. The listener says which rung a try is on, and a new search begins with the one that worked last.
 */
const LADDER: readonly Step[] = [
  { opener: "listener", ttl: 2 },
  { opener: "connector", ttl: 2 },
  { opener: "listener", ttl: 3 },
  { opener: "both", ttl: 64 },
  { opener: "connector", ttl: 3 },
  { opener: "both", ttl: 64 },
];

/** Rungs, so tries after which a first connection is given up. */
export const LADDER_LENGTH = LADDER.length;

/** Rungs follow each other in a circle. */
export function stepOf(rung: number): Step {
  return LADDER[rung % LADDER.length] as Step;
}
