/** What arrived or was to be sent, and was dropped, by why. */
export type TurnCounters = Record<(typeof NAMES)[number], number>;

export function newCounters(): TurnCounters {
  return Object.fromEntries(NAMES.map((name) => [name, 0])) as TurnCounters;
}

const NAMES = [
  "not-turn",
  "unknown-transaction",
  "forged",
  "not-permitted",
  "unknown-channel",
  "wrong-family",
  "refused",
  "too-many",
  "too-long",
] as const;
