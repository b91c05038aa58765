import { createPublicKey, verify } from "node:crypto";
import { roomOf } from "./room.js";

export const CHALLENGE_LENGTH = 32;
export const PUBLIC_KEY_LENGTH = 32;
export const SIGNATURE_LENGTH = 64;

/**
 * What a listener signs (Ed25519) to register its room: nothing else that it ever signs begins like this, and the
 * challenge makes it good for one connection only.
 *
 * @param challenge as welcomed with, 32 bytes
 * @param room as {@link roomOf} names it
 */
export function registrationPayload(challenge: Uint8Array, room: string): Buffer {
  return Buffer.concat([LABEL, challenge, Buffer.from(room, "base64url")]);
}

const LABEL = Buffer.from("awl signal 1 registration\0");

/** The room that a registration proves a right to; `undefined` if it proves none. Never throws for what the bytes are. */
export function provenRoom(challenge: Uint8Array, key: Uint8Array, signature: Uint8Array): string | undefined {
  const room = roomOf(key);
  const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(key).toString("base64url") };
  try {
    const publicKey = createPublicKey({ key: jwk, format: "jwk" });
    return verify(null, registrationPayload(challenge, room), publicKey, signature) ? room : undefined;
  } catch {
    // Not 32 bytes: no key.
    return undefined;
  }
}
