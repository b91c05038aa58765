import { isPort, splitHostPort } from "@awl/wire";

/** How a TURN server is reached; `tls`: over TCP. */
export type RelayTransport = "udp" | "tcp" | "tls";

/** A TURN server as its URI names it. */
export interface RelayUri {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Best first: all that the URI leaves open. */
  readonly transports: readonly RelayTransport[];
}

const PORT = 3478;
const TLS_PORT = 5349;

/** Reads `turn:host:port?transport=udp|tcp` and `turns:…` (RFC 7065); `undefined` if it is none, or asks for DTLS, which nobody here speaks. */
export function parseRelayUri(text: string): RelayUri | undefined {
  const [, scheme = "", authority = "", transport] = /^(turns?):([^/?#]+)(?:\?transport=([a-z]+))?$/i.exec(text) ?? [];
  const transports = TRANSPORTS.get(`${scheme}:${transport ?? ""}`.toLowerCase());
  // Bare IPv6 is no host of a URI: RFC 3986 section 3.2.2.
  const { host, port } = (/^[^[].*:.*:/.test(authority) ? undefined : splitHostPort(authority)) ?? {};
  if (!transports || host === undefined) return undefined;
  const number = port === undefined ? (transports[0] === "tls" ? TLS_PORT : PORT) : Number(port);
  return isPort(number) && number > 0 ? { host, port: number, transports } : undefined;
}

const TRANSPORTS: ReadonlyMap<string, readonly RelayTransport[]> = new Map<string, readonly RelayTransport[]>([
  ["turn:", ["udp", "tcp"]],
  ["turn:udp", ["udp"]],
  ["turn:tcp", ["tcp"]],
  ["turns:", ["tls"]],
  ["turns:tcp", ["tls"]],
]);
