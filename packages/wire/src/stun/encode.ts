import { WireError } from "../errors.js";
import type { AttributeValue } from "./attribute.js";
import { Fingerprint, MessageIntegrity, MessageIntegritySha256 } from "./attributes.js";
import { fingerprintOf, type IntegrityAlgorithm, integrityOf } from "./integrity.js";
import { HEADER_LENGTH } from "./message.js";
import { encodeMessageType, MAGIC_COOKIE, type StunClass } from "./registry.js";

/** What {@link encodeMessage} writes. */
export interface MessageFields {
  /** One of `Method`. */
  readonly method: number;
  readonly class: StunClass;
  /** 12 bytes, unguessable; 16 in the answer to a message of RFC 3489. */
  readonly transactionId: Uint8Array;
  /** Written in this order: `[Software.of("awl"), …]`. */
  readonly attributes?: readonly AttributeValue[];
  /** Adds MESSAGE-INTEGRITY and/or MESSAGE-INTEGRITY-SHA256, in this order. Keys: `shortTermKey`, `longTermKey`. */
  readonly integrity?: readonly { readonly algorithm: IntegrityAlgorithm; readonly key: Uint8Array }[];
  /** Adds FINGERPRINT, as every message does that shares its socket with another protocol. @default false */
  readonly fingerprint?: boolean;
}

/**
 * Writes a STUN message. RFC 8489 section 5.
 *
 * @throws {WireError} `bad-attribute` if a value does not fit its attribute, or all of them a message
 */
export function encodeMessage(fields: MessageFields): Buffer {
  const { transactionId, attributes = [], integrity = [], fingerprint = false } = fields;
  const sizes = attributes.map(({ attribute, value }) => attribute.size(value));
  const length =
    sizes.reduce((sum, size) => sum + 4 + padded(size), 0) +
    integrity.reduce((sum, { algorithm }) => sum + 4 + INTEGRITY[algorithm].length, 0) +
    (fingerprint ? 8 : 0);
  if (length > 0xffff) throw new WireError("bad-attribute", `STUN message too long: ${length} bytes`);

  const message = Buffer.allocUnsafe(HEADER_LENGTH + length);
  message.writeUInt16BE(encodeMessageType(fields.method, fields.class), 0);
  message.writeUInt16BE(length, 2);
  writeTransactionId(message, transactionId);

  let at = HEADER_LENGTH;
  for (const [i, { attribute, value }] of attributes.entries()) {
    const size = sizes[i] as number;
    const next = at + 4 + padded(size);
    writeHeader(message, at, attribute.type, size);
    if (next > at + 4 + size) message.fill(0, at + 4 + size, next);
    attribute.write(message, at + 4, value);
    at = next;
  }
  for (const { algorithm, key } of integrity) {
    const { attribute, length: size } = INTEGRITY[algorithm];
    writeHeader(message, at, attribute.type, size);
    message.set(integrityOf(message, at, algorithm, key, size), at + 4);
    at += 4 + size;
  }
  if (fingerprint) {
    writeHeader(message, at, Fingerprint.type, 4);
    message.writeUInt32BE(fingerprintOf(message, at), at + 4);
  }
  return message;
}

const INTEGRITY = {
  sha1: { attribute: MessageIntegrity, length: 20 },
  sha256: { attribute: MessageIntegritySha256, length: 32 },
} as const;

/** RFC 3489 has no cookie: its 16-byte transaction id begins where the cookie stands now. */
function writeTransactionId(message: Buffer, transactionId: Uint8Array): void {
  if (transactionId.length !== 12 && transactionId.length !== 16) {
    throw new WireError("bad-attribute", `a transaction id has 12 bytes, not ${transactionId.length}`);
  }
  message.writeUInt32BE(MAGIC_COOKIE, 4);
  message.set(transactionId, HEADER_LENGTH - transactionId.length);
}

function writeHeader(message: Buffer, at: number, type: number, size: number): void {
  message.writeUInt16BE(type, at);
  message.writeUInt16BE(size, at + 2);
}

function padded(size: number): number {
  return (size + 3) & ~3;
}
