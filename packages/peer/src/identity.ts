import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { PeerError } from "./errors.js";
import { decodeWord, encodeWord, type WordFault } from "./ticket-word.js";

/** An Ed25519 key pair (RFC 8032): who a peer is. */
export interface Identity {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** @returns a signature of 64 bytes */
  sign(message: Uint8Array): Uint8Array;
}

export const SEED_BYTES = 32;
export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** @param seed 32 unguessable bytes: RFC 8032 calls them the private key */
export function identityFromSeed(seed: Uint8Array): Identity {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a seed has ${SEED_BYTES} bytes, not ${seed.length}`);
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const publicKey = Uint8Array.from(spki.subarray(SPKI_PREFIX.length));
  return { publicKey, sign: (message) => sign(null, message, privateKey) };
}

/** Whether the owner of this key signed this message. Any bytes will do as a key, and are then nobody's. */
export function verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: "der", type: "spki" });
  return verify(null, message, key, signature);
}

/** A public key as one word, `awlkey1…`: what `peer key` prints and `--allow` reads. */
export function formatKey(publicKey: Uint8Array): string {
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new RangeError(`a public key has ${PUBLIC_KEY_BYTES} bytes, not ${publicKey.length}`);
  return encodeWord("awlkey1", publicKey);
}

/**
 * Reads what {@link formatKey} wrote.
 *
 * @throws {PeerError} `bad-key`, whose message says in a sentence what is wrong with it
 */
export function parseKey(text: string): Uint8Array {
  const key = decodeWord("awlkey1", text);
  if (typeof key === "string") throw new PeerError("bad-key", WHY[key]);
  if (key.length !== PUBLIC_KEY_BYTES) throw new PeerError("bad-key", "the key is malformed: its checksum fits, its content does not");
  return Uint8Array.from(key);
}

const WHY: Readonly<Record<WordFault, string>> = {
  foreign: "this is no public key: a key is one word that begins with awlkey1",
  "cut-short": "the key is cut short: copy all of it",
  typo: "the key has a typo",
  newer: "the key needs a newer Awl",
};

/** What stands in front of the 32 bytes in DER. RFC 8410 sections 7 and 4. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
