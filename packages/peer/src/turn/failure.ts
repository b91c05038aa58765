import { ErrorCode, formatEndpoint, type StunMessage } from "@awl/wire";
import type { TurnFailure, TurnFailureCode } from "./turn-io.js";

/** What an error response says. Its reason phrase is the server's, and for people: cut, and printable. */
export function failureOf(message: StunMessage): TurnFailure {
  const error = message.get(ErrorCode);
  if (!error) return failure("bad-answer", "The relay answered with an error without a code.");
  const phrase = error.reason.replace(/[^\p{L}\p{N}\p{P}\p{Zs}]/gu, "").slice(0, 80);
  return failure(CODES.get(error.code) ?? "refused", `The relay refused: ${error.code}${phrase && ` ${phrase}`}.`);
}

export function failure(code: TurnFailureCode, text: string): TurnFailure {
  return { code, text };
}

export function noAnswer(server: Parameters<typeof formatEndpoint>[0]): TurnFailure {
  return failure("timeout", `The relay at ${formatEndpoint(server)} does not answer.`);
}

const CODES: ReadonlyMap<number, TurnFailureCode> = new Map([
  [300, "try-alternate"],
  [401, "unauthorized"],
  [403, "forbidden"],
  [437, "allocation-mismatch"],
  [438, "stale-nonce"],
  [440, "unsupported-family"],
  [441, "wrong-credentials"],
  [442, "unsupported-transport"],
  [443, "peer-family-mismatch"],
  [486, "quota-reached"],
  [508, "no-capacity"],
]);
