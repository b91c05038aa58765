import { hkdfSync } from "node:crypto";

/** The name under which TLS asks for the key. It says the version of what follows inside TLS, and nothing about the ticket. */
export const PSK_IDENTITY = "awl/1";

/**
 * The key that proves possession of the ticket, 32 bytes (RFC 5869). Made from the secret and from the listener's key, so that who
 * holds only a part of the ticket, or a ticket of another listener with the same secret, is refused by TLS itself.
 */
export function derivePsk(secret: Uint8Array, listenerKey: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, listenerKey, "awl/1 handshake psk", 32));
}
