import { WireError } from "../errors.js";
import { type AddressFamily, addressFamily, canonicalAddress, parseAddress } from "./address.js";

/**
 * A transport address: where a datagram goes to or comes from.
 * `address` is canonical ({@link canonicalAddress}), so two endpoints are the same exactly if both fields are equal.
 */
export interface Endpoint {
  readonly address: string;
  /** 0-65535. */
  readonly port: number;
}

/**
 * Makes an endpoint out of any spelling of an address.
 *
 * @throws {WireError} `bad-address`, or `bad-endpoint` for a port outside 0-65535
 */
export function endpoint(address: string, port: number): Endpoint {
  if (!isPort(port)) throw new WireError("bad-endpoint", `not a port: ${port}`);
  return { address: canonicalAddress(address), port };
}

/**
 * Reads `1.2.3.4:5`, `[2001:db8::1]:5`, or, where a default port is given, an address alone (IPv6 with or without brackets).
 *
 * @throws {WireError} `bad-endpoint`
 */
export function parseEndpoint(text: string, defaultPort?: number): Endpoint {
  const { host, port } = splitHostPort(text) ?? {};
  const number = port === undefined ? defaultPort : Number(port);
  if (host === undefined || number === undefined || !isPort(number) || !parseAddress(host)) {
    throw new WireError("bad-endpoint", `not an address and port: ${text}`);
  }
  return endpoint(host, number);
}

/**
 * Splits `host:port`, `[v6]:port`, `host`, or a bare IPv6 address; the host may be a name, the port is digits or absent.
 * `undefined` if the text has none of these shapes.
 */
export function splitHostPort(text: string): { host: string; port?: string } | undefined {
  const match = /^(?:\[([^\][]+)\]|([^:\][\s]+))(?::(\d{1,5}))?$/.exec(text);
  if (!match) return parseAddress(text) ? { host: text } : undefined;
  // Brackets are for IPv6 alone: RFC 3986 section 3.2.2, RFC 5952 section 6.
  if (match[1] !== undefined && parseAddress(match[1])?.length !== 16) return undefined;
  const host = match[1] ?? match[2] ?? "";
  return match[3] === undefined ? { host } : { host, port: match[3] };
}

/** `1.2.3.4:5` or `[2001:db8::1]:5`: what {@link parseEndpoint} reads. */
export function formatEndpoint({ address, port }: Endpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address;
}

/** Orders IPv4 before IPv6, then by address bytes, then by port: a total order for `Array.sort`. */
export function compareEndpoints(a: Endpoint, b: Endpoint): number {
  const family = endpointFamily(a) - endpointFamily(b);
  if (family !== 0) return family;
  return Buffer.compare(bytesOf(a.address), bytesOf(b.address)) || a.port - b.port;
}

export function endpointFamily({ address }: Endpoint): AddressFamily {
  return addressFamily(address);
}

export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff;
}

function bytesOf(address: string): Uint8Array {
  return parseAddress(address) ?? new Uint8Array(0);
}
