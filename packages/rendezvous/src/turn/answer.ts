import { type AttributeValue, ErrorCode, ErrorReason, encodeMessage, Fingerprint, type MessageFields, type StunMessage } from "@awl/wire";
import type { Relay } from "./allocation.js";
import type { Session } from "./authenticator.js";
import type { TurnErrorCode } from "./counters.js";

/** What a request comes to. */
export type Answer =
  | { readonly kind: "success"; readonly attributes: readonly AttributeValue[] }
  | { readonly kind: "error"; readonly code: TurnErrorCode; readonly attributes: readonly AttributeValue[] }
  /** To be looked at again once this relay has its socket, or has failed to get it. */
  | { readonly kind: "later"; readonly relay: Relay };

export function success(attributes: readonly AttributeValue[] = []): Answer {
  return { kind: "success", attributes };
}

export function error(code: TurnErrorCode, attributes: readonly AttributeValue[] = []): Answer {
  return { kind: "error", code, attributes };
}

/** A success or error response, signed for who has proven who they are. */
export function encodeAnswer(request: StunMessage, answer: Exclude<Answer, { kind: "later" }>, session: Session | undefined): Buffer {
  const fields: MessageFields = {
    method: request.method,
    class: answer.kind,
    transactionId: request.transactionId,
    attributes: answer.kind === "error" ? [errorCode(answer.code, session !== undefined), ...answer.attributes] : answer.attributes,
    integrity: session ? [{ algorithm: session.algorithm, key: session.key }] : [],
    fingerprint: request.has(Fingerprint),
  };
  return encodeMessage(fields);
}

/** Strangers get no phrase: it would make the answer larger, and their addresses can be forged. */
function errorCode(code: TurnErrorCode, phrased: boolean): AttributeValue {
  return ErrorCode.of({ code, reason: phrased ? ErrorReason[code] : "" });
}
