import { isPort, splitHostPort } from "@awl/wire";
import { NatProbeError } from "./errors.js";

/** A server as a person names it: host name or address, and UDP port. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** RFC 8489 section 18.6, and the rendezvous' one port. */
export const DEFAULT_PORT = 3478;

/**
 * Public servers for the bare command, tried all at once. Those of one operator share one fate, so there are several;
 * the first two have a second address and can test filtering.
 */
export const PUBLIC_SERVERS: readonly string[] = [
  "stun.voipgate.com:3478",
  "stun.sipnet.net:3478",
  "stun.cloudflare.com:3478",
  "stun.l.google.com:19302",
  "stun.nextcloud.com:3478",
];

/**
 * Reads `HOST[:PORT]`, `stun:HOST[:PORT]` (RFC 7064) or a rendezvous' `ws://` or `wss://` URL, whose port serves STUN over UDP too.
 *
 * @throws {NatProbeError} `usage`
 */
export function parseTarget(text: string): Target {
  const [, scheme, rest = ""] = /^(?:(stun:|wss?:\/\/))?([^/?#]*)\/?$/.exec(text) ?? [];
  const { host, port } = splitHostPort(rest) ?? {};
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (!host || !isPort(number) || number === 0) {
    const expected = scheme?.startsWith("ws")
      ? "a rendezvous URL is ws://HOST[:PORT]"
      : "a server is HOST[:PORT], stun:HOST[:PORT] or ws://HOST[:PORT]";
    throw new NatProbeError("usage", `not a server: ${text} (${expected})`);
  }
  return { host, port: number };
}
