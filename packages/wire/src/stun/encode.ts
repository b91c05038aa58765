import { padded, putUint16 } from "../bytes.js";
import { WireError } from "../errors.js";
import type { AttributeValue } from "./attribute.js";
import { Fingerprint } from "./attributes.js";
import { fingerprintOf, INTEGRITY, type IntegrityAlgorithm, integrityOf } from "./integrity.js";
import { encodeMessageType, HEADER_LENGTH, MAGIC_COOKIE, type StunClass } from "./registry.js";

/** What {@link encodeMessage} writes. */
export interface MessageFields {
  /** One of `Method`. */
  readonly method: number;
  readonly class: StunClass;
  /** 12 bytes, unguessable; 16 in the answer to a message of RFC 3489. */
  readonly transactionId: Uint8Array;
  /** Written in this order: `[Software.of("awl"), …]`. */
  readonly attributes?: readonly AttributeValue[];
  /** Adds MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256, or the first and then the second. Keys: `shortTermKey`, `longTermKey`. */
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
  let length = fingerprint ? 8 : 0;
  const sizes = attributes.map(({ attribute, value }) => {
    const size = attribute.size(value);
    length += 4 + padded(size);
    return size;
  });
  for (const { algorithm } of integrity) length += 4 + INTEGRITY[algorithm].length;
  if (length > 0xffff) throw new WireError("bad-attribute", `STUN message too long: ${length} bytes`);

  const message = Buffer.allocUnsafe(HEADER_LENGTH + length);
  putUint16(message, 0, encodeMessageType(fields.method, fields.class));
  putUint16(message, 2, length);
  writeTransactionId(message, transactionId);

  let at = HEADER_LENGTH;
  for (const [i, { attribute, value }] of attributes.entries()) {
    const size = sizes[i] as number;
    writeHeader(message, at, attribute.type, size);
    attribute.write(message, at + 4, value);
    const end = at + 4 + size;
    at += 4 + padded(size);
    if (end < at) message.fill(0, end, at);
  }
  // A reader ignores MESSAGE-INTEGRITY behind MESSAGE-INTEGRITY-SHA256. RFC 8489 section 14.6.
  for (const next of ["sha1", "sha256"]) {
    for (const { algorithm, key } of integrity) if (algorithm === next) at = writeIntegrity(message, at, algorithm, key);
  }
  if (fingerprint) {
    writeHeader(message, at, Fingerprint.type, 4);
    message.writeUInt32BE(fingerprintOf(message, at), at + 4);
  }
  return message;
}

/** RFC 3489 has no cookie: its 16-byte transaction id begins where the cookie stands now. */
function writeTransactionId(message: Buffer, transactionId: Uint8Array): void {
  if (transactionId.length !== 12 && transactionId.length !== 16) {
    throw new WireError("bad-attribute", `a transaction id has 12 bytes, not ${transactionId.length}`);
  }
  message.writeUInt32BE(MAGIC_COOKIE, 4);
  message.set(transactionId, HEADER_LENGTH - transactionId.length);
}

function writeIntegrity(message: Buffer, at: number, algorithm: IntegrityAlgorithm, key: Uint8Array): number {
  const { attribute, length } = INTEGRITY[algorithm];
  writeHeader(message, at, attribute.type, length);
  message.set(integrityOf(message, at, algorithm, key, length), at + 4);
  return at + 4 + length;
}

function writeHeader(message: Buffer, at: number, type: number, size: number): void {
  putUint16(message, at, type);
  putUint16(message, at + 2, size);
}
