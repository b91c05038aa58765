/** Why a connection ends: names for the numbers of RFC 9000 section 20.1. */
const NUMBERS = {
  "no-error": 0x00,
  internal: 0x01,
  "flow-control": 0x03,
  "stream-limit": 0x04,
  "stream-state": 0x05,
  "final-size": 0x06,
  "frame-encoding": 0x07,
  "protocol-violation": 0x0a,
} as const;

/** A reason of the transport's own. */
export type TransportCode = keyof typeof NUMBERS;

const NAMES = new Map<number, TransportCode>(Object.entries(NUMBERS).map(([name, number]) => [number, name as TransportCode]));

export function numberOfCode(code: TransportCode): number {
  return NUMBERS[code];
}

/** `internal`: a number that has no name here. */
export function codeOfNumber(number: number): TransportCode {
  return NAMES.get(number) ?? "internal";
}
