import { createHash } from "node:crypto";

/**
 * The room of a listener: a hash of its public key (Ed25519, 32 bytes), so that who does not know the key learns nothing
 * from the room's name. base64url, 43 characters.
 */
export function roomOf(publicKey: Uint8Array): string {
  return createHash("sha256").update("awl signal 1 room\0").update(publicKey).digest("base64url");
}

/** Whether this could be a room's name. */
export function isRoom(text: string): boolean {
  return ROOM.test(text);
}

/** 256 bits: the last of 43 characters has only four of its six. */
const ROOM = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
