import { createHash } from "node:crypto";
import { base32nopad } from "@scure/base";

/** The words that Awl prints for people to copy. The digit is a version. */
export type WordPrefix = "awl1" | "awlkey1";

/** - `foreign`: not such a word at all. - `cut-short`: its end is missing. - `typo`: characters were changed. - `newer`: of a later version. */
export type WordFault = "foreign" | "cut-short" | "typo" | "newer";

/** Bytes; and with it the first character behind the prefix is always the same. */
export const MAX_WORD_PAYLOAD = 2_047;

/**
 * Bytes as one word of lower-case letters and digits, which a double click selects.
 *
 * Behind the prefix, in base32 (RFC 4648 section 6, without padding): the payload's length (2 bytes), a check of that length (1),
 * the payload, a checksum of all (4). The length has its own check, so that a word cut short can be told from a mistyped one.
 */
export function encodeWord(prefix: WordPrefix, payload: Uint8Array): string {
  if (payload.length > MAX_WORD_PAYLOAD) throw new RangeError(`a word holds ${MAX_WORD_PAYLOAD} bytes, not ${payload.length}`);
  const head = headOf(prefix, payload.length);
  return prefix + base32nopad.encode(Buffer.concat([head, payload, checksum(prefix, head, payload)])).toLowerCase();
}

/** The payload of a word, whatever the case of its letters and the white space around it. */
export function decodeWord(prefix: WordPrefix, text: string): Uint8Array | WordFault {
  const word = text.trim().toLowerCase();
  if (word.length > prefix.length + charactersFor(MAX_WORD_PAYLOAD)) return "foreign";
  const payload = decodeBody(prefix, word.slice(prefix.length));
  if (word.startsWith(prefix)) return payload;
  // A body in order behind a prefix that is not: the typo is in the prefix.
  if (typeof payload !== "string") return "typo";
  if (OTHER[prefix].some((other) => word.startsWith(other))) return "foreign";
  const kind = prefix.slice(0, -1);
  if (!word.startsWith(kind)) return "foreign";
  return /[2-9]/.test(word.charAt(kind.length)) ? "newer" : "typo";
}

const OTHER: Readonly<Record<WordPrefix, readonly string[]>> = { awl1: ["awlkey"], awlkey1: ["awl1"] };

const HEAD_BYTES = 3;
const CHECKSUM_BYTES = 4;
/** Base32 turns five bytes into eight characters; the head lies within these. */
const HEAD_CHARACTERS = 8;

function decodeBody(prefix: WordPrefix, body: string): Uint8Array | WordFault {
  if (/[^a-z2-7]/.test(body)) return "typo";
  if (body.length < HEAD_CHARACTERS) return "cut-short";
  const head = fromBase32(body.slice(0, HEAD_CHARACTERS))?.subarray(0, HEAD_BYTES);
  const length = head?.readUInt16BE(0) ?? 0;
  if (!head?.equals(headOf(prefix, length))) return "typo";
  if (body.length < charactersFor(length)) return "cut-short";
  if (body.length > charactersFor(length)) return "typo";
  const bytes = fromBase32(body);
  if (!bytes) return "typo";
  const payload = bytes.subarray(HEAD_BYTES, HEAD_BYTES + length);
  return checksum(prefix, head, payload).equals(bytes.subarray(HEAD_BYTES + length)) ? payload : "typo";
}

/** `undefined`: spare bits at the end that are not zero. */
function fromBase32(text: string): Buffer | undefined {
  try {
    return Buffer.from(base32nopad.decode(text.toUpperCase()));
  } catch {
    return undefined;
  }
}

function headOf(prefix: WordPrefix, length: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(length);
  head[2] = sha256(prefix, head.subarray(0, 2))[0] ?? 0;
  return head;
}

function checksum(prefix: WordPrefix, head: Uint8Array, payload: Uint8Array): Buffer {
  return sha256(prefix, head, payload).subarray(0, CHECKSUM_BYTES);
}

function sha256(prefix: WordPrefix, ...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256").update(prefix);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function charactersFor(length: number): number {
  return Math.ceil(((HEAD_BYTES + length + CHECKSUM_BYTES) * 8) / 5);
}
