import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";
import type { StunMessage } from "./message.js";

/** `sha1`: MESSAGE-INTEGRITY, RFC 8489 section 14.5. `sha256`: MESSAGE-INTEGRITY-SHA256, section 14.6. */
export type IntegrityAlgorithm = "sha1" | "sha256";

/** RFC 8489 section 9.1.1: the password itself. Prepare non-ASCII passwords with OpaqueString (RFC 8265) first. */
export function shortTermKey(password: string): Buffer {
  return Buffer.from(password, "utf8");
}

/** RFC 8489 section 18.5: a hash over username, realm and password, by the password algorithm in use. */
export function longTermKey(username: string, realm: string, password: string, hash: "md5" | "sha256" = "md5"): Buffer {
  return createHash(hash).update(`${username}:${realm}:${password}`, "utf8").digest();
}

/**
 * Whether the message carries the integrity attribute of this algorithm and it was made with this key.
 * Constant-time. A truncated SHA-256 (16 bytes or more, RFC 8489 section 14.6) is compared at its own length.
 */
export function verifyIntegrity(message: StunMessage, algorithm: IntegrityAlgorithm, key: Uint8Array): boolean {
  const at = algorithm === "sha1" ? message.integrityAt.integrity : message.integrityAt.integritySha256;
  if (at === undefined) return false;
  const length = message.bytes.readUInt16BE(at + 2);
  const found = message.bytes.subarray(at + 4, at + 4 + length);
  return timingSafeEqual(found, integrityOf(message.bytes, at, algorithm, key, length));
}

/**
 * The HMAC over everything before the integrity attribute at `at`, as if the message ended with that attribute:
 * the header's length field is replaced, not the message changed.
 */
export function integrityOf(message: Buffer, at: number, algorithm: IntegrityAlgorithm, key: Uint8Array, length: number): Buffer {
  const digest = createHmac(algorithm, key)
    .update(headEndingAt(message, at + 4 + length))
    .update(message.subarray(4, at))
    .digest();
  return digest.length === length ? digest : digest.subarray(0, length);
}

/** RFC 8489 section 14.7. The fingerprint at `at` is the last attribute, so the header's length is already the right one. */
export function fingerprintOf(message: Buffer, at: number): number {
  return (crc32(message.subarray(0, at)) ^ 0x5354554e) >>> 0;
}

function headEndingAt(message: Buffer, end: number): Buffer {
  const head = Buffer.from(message.subarray(0, 4));
  head.writeUInt16BE(end - 20, 2);
  return head;
}
