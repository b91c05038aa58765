import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { putUint16, uint16At } from "../bytes.js";
import type { Attribute } from "./attribute.js";
import { MessageIntegrity, MessageIntegritySha256 } from "./attributes.js";
import { crc32 } from "./crc32.js";
import type { StunMessage } from "./message.js";
import { HEADER_LENGTH } from "./registry.js";

/** `sha1`: MESSAGE-INTEGRITY, RFC 8489 section 14.5. `sha256`: MESSAGE-INTEGRITY-SHA256, section 14.6. */
export type IntegrityAlgorithm = "sha1" | "sha256";

/** The attribute of each algorithm and its full length, in the order in which a message carries them. */
export const INTEGRITY = {
  sha1: { attribute: MessageIntegrity, length: 20 },
  sha256: { attribute: MessageIntegritySha256, length: 32 },
} satisfies Record<IntegrityAlgorithm, { attribute: Attribute<Uint8Array>; length: number }>;

/** RFC 8489 section 9.1.1: the password itself. Prepare non-ASCII passwords with OpaqueString (RFC 8265) first. */
export function shortTermKey(password: string): Buffer {
  return Buffer.from(password, "utf8");
}

/** RFC 8489 section 18.5: a hash over username, realm and password, by the password algorithm in use. */
export function longTermKey(username: string, realm: string, password: string, hash: "md5" | "sha256" = "md5"): Buffer {
  return createHash(hash).update(`${username}:${realm}:${password}`, "utf8").digest();
}

/**
 * Whether the message carries the integrity attribute of this algorithm and it was made with this key. Constant-time.
 *
 * `shortest`: the fewest bytes of a truncated SHA-256 to accept, 16 at least. Only a STUN usage that says so may
 * truncate, and TURN and ICE do not. RFC 8489 section 14.6. @default the full length
 */
export function verifyIntegrity(
  message: StunMessage,
  algorithm: IntegrityAlgorithm,
  key: Uint8Array,
  shortest = INTEGRITY[algorithm].length,
): boolean {
  const at = message.offsetOf(INTEGRITY[algorithm].attribute);
  if (at === undefined) return false;
  const length = uint16At(message.bytes, at + 2);
  if (length < shortest) return false;
  const found = message.bytes.subarray(at + 4, at + 4 + length);
  return timingSafeEqual(found, integrityOf(message.bytes, at, algorithm, key, length));
}

/**
 * The HMAC over everything before the integrity attribute at `at`, as if the message ended with that attribute:
 * the header's length field says so in a copy.
 */
export function integrityOf(message: Buffer, at: number, algorithm: IntegrityAlgorithm, key: Uint8Array, length: number): Buffer {
  const covered = Buffer.from(message.subarray(0, at));
  putUint16(covered, 2, at + 4 + length - HEADER_LENGTH);
  const digest = createHmac(algorithm, key).update(covered).digest();
  return digest.length === length ? digest : digest.subarray(0, length);
}

/** RFC 8489 section 14.7. The fingerprint at `at` is the last attribute, so the header's length is already the right one. */
export function fingerprintOf(message: Buffer, at: number): number {
  return (crc32(message, at) ^ 0x5354554e) >>> 0;
}
