import { constants } from "node:crypto";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect, type PSKCallbackNegotation, TLSSocket, type TLSSocketOptions } from "node:tls";
import { PSK_IDENTITY } from "../../handshake/psk.js";
import type { Role } from "../../handshake/role.js";

/** TLS 1.3 with an external pre-shared key and no certificates. RFC 8446 section 2.2. */
export interface PskSession {
  readonly socket: TLSSocket;
  /**
   * Whether this session, its handshake being done, was authenticated by the pre-shared key: not by a certificate,
   * nor by a session ticket of an earlier handshake, which would outlive a change of the secret.
   */
  isProven(): boolean;
}

export function startPskSession(role: Role, duplex: Duplex, psk: Uint8Array): PskSession {
  return role === "listener" ? acceptPsk(duplex, psk) : offerPsk(duplex, psk);
}

/**
 * - One version, and the two cipher suites whose hash is that of the pre-shared key (RFC 8446 section 4.2.11: SHA-256 unless said otherwise).
 * - OpenSSL offers and accepts a pre-shared key only together with (EC)DHE unless told to do without: forward secrecy.
 * - One group, so that no second ClientHello is asked for.
 * - No certificate authority is trusted, and none is loaded.
 * - A context for each handshake: the key of session tickets, which OpenSSL hands out unasked, ends with it.
 */
const COMMON = {
  minVersion: "TLSv1.3",
  maxVersion: "TLSv1.3",
  ciphers: "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256",
  ecdhCurve: "X25519",
  ca: [],
  secureOptions: constants.SSL_OP_NO_TICKET,
} satisfies ConnectionOptions;

function acceptPsk(duplex: Duplex, psk: Uint8Array): PskSession {
  let given = false;
  const options: TLSSocketOptions & { pskCallback: (socket: TLSSocket, identity: string) => Uint8Array | null } = {
    ...COMMON,
    isServer: true,
    pskCallback: (_socket, identity) => {
      given = identity === PSK_IDENTITY;
      return given ? psk : null;
    },
  };
  const socket = new TLSSocket(duplex, options);
  return { socket, isProven: () => given && isResumed(socket) };
}

function offerPsk(duplex: Duplex, psk: Uint8Array): PskSession {
  let given = false;
  const socket = connect({
    ...COMMON,
    socket: duplex,
    pskCallback: (): PSKCallbackNegotation => {
      given = true;
      return { psk, identity: PSK_IDENTITY };
    },
    // There is no certificate whose name could be checked; if there were one, `isProven` refuses it.
    checkServerIdentity: () => undefined,
  });
  return { socket, isProven: () => given && isResumed(socket) };
}

/** TLS takes a pre-shared key for a resumed session: RFC 8446 section 2.2. */
function isResumed(socket: TLSSocket): boolean {
  return socket.getProtocol() === "TLSv1.3" && socket.isSessionReused();
}
