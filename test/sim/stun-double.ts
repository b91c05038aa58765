import {
  ChangeRequest,
  decodeMessage,
  type Endpoint,
  ErrorCode,
  encodeMessage,
  MappedAddress,
  Method,
  OtherAddress,
  sameEndpoint,
  XorMappedAddress,
} from "@awl/wire";
import type { Internet } from "./internet.js";
import { type LineConditions, PERFECT } from "./line.js";
import type { Packet } from "./network.js";

/**
 * STUN servers as they are found, which ours is not.
 *
 * - `plain`: knows no CHANGE-REQUEST, and refuses it.
 * - `refuses-change`: has another address, and refuses it all the same.
 * - `deaf-to-change`: answers it from where it was asked.
 * - `mute-to-change`: not at all.
 * - `misdirects`: answers everything from elsewhere.
 * - `dead-alternate`: names another address that does not answer.
 * - `same-address`: names its own address as the other.
 * - `classic`: RFC 3489.
 */
export type StunDoubleKind =
  | "plain"
  | "refuses-change"
  | "deaf-to-change"
  | "mute-to-change"
  | "misdirects"
  | "dead-alternate"
  | "same-address"
  | "classic";

export const PRIMARY: Endpoint = { address: "203.0.113.1", port: 3478 };
export const SECOND_PLAIN: Endpoint = { address: "192.0.2.7", port: 3478 };
export const OTHER: Endpoint = { address: "198.51.100.1", port: 3479 };
const TTL = 64;

/** Plugs it in at {@link PRIMARY} and its other address, and at {@link SECOND_PLAIN}. */
export function plugStunDouble(internet: Internet, kind: StunDoubleKind, conditions: LineConditions = PERFECT): void {
  const { network } = internet.join(conditions);
  const receive = ({ from, to, bytes }: Packet) => {
    const answer = answerOf(kind, bytes, from, to);
    if (answer) network.send({ ...answer, to: from, ttl: TTL });
  };
  for (const { address } of [PRIMARY, SECOND_PLAIN, OTHER]) network.plug(address, receive);
}

function answerOf(kind: StunDoubleKind, request: Buffer, from: Endpoint, at: Endpoint): Pick<Packet, "from" | "bytes"> | undefined {
  const message = decodeMessage(request);
  if (typeof message === "string") throw new Error(`the probe sent ${message}`);
  const { transactionId } = message;
  const change = message.get(ChangeRequest);
  if (kind === "dead-alternate" && !sameEndpoint(at, PRIMARY)) return undefined;
  if (change && kind === "mute-to-change") return undefined;
  if (change && (kind === "refuses-change" || kind === "plain")) {
    const attributes = [ErrorCode.of({ code: 420, reason: "" })];
    return { from: at, bytes: encodeMessage({ method: Method.Binding, class: "error", transactionId, attributes }) };
  }
  const flags = kind === "deaf-to-change" ? undefined : change;
  const changed = { address: flags?.ip ? otherOf(at).address : at.address, port: flags?.port ? otherOf(at).port : at.port };
  const other = kind === "same-address" ? { ...OTHER, address: PRIMARY.address } : OTHER;
  const attributes = [
    kind === "classic" ? MappedAddress.of(from) : XorMappedAddress.of(from),
    ...(kind === "plain" ? [] : [OtherAddress.of(other)]),
  ];
  const bytes = encodeMessage({ method: Method.Binding, class: "success", transactionId, attributes });
  return { from: kind === "misdirects" ? OTHER : changed, bytes };
}

function otherOf({ address, port }: Endpoint): Endpoint {
  return {
    address: address === PRIMARY.address ? OTHER.address : PRIMARY.address,
    port: port === PRIMARY.port ? OTHER.port : PRIMARY.port,
  };
}
