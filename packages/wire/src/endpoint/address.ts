import { WireError } from "../errors.js";

/** The IP version of an address, and the length of its bytes: 4 (4 bytes) or 6 (16 bytes). */
export type AddressFamily = 4 | 6;

/**
 * Reads an IPv4 or IPv6 address into its 4 or 16 bytes, network order; `undefined` if it is neither.
 *
 * Strict where laxness has been exploited: no octal-looking IPv4 octets, no missing parts, no ports.
 * A zone (`fe80::1%eth0`, RFC 4007) names an interface of this host and is no part of the address: it is dropped.
 */
export function parseAddress(text: string): Uint8Array | undefined {
  if (!text.includes(":")) return parseIPv4(text);
  const zone = text.indexOf("%");
  return parseIPv6(zone < 0 ? text : text.slice(0, zone));
}

/** Writes 4 or 16 bytes (from `at` on) as canonical text: dotted decimal, or RFC 5952 for IPv6. */
export function formatAddress(bytes: Uint8Array, family: AddressFamily, at = 0): string {
  return family === 4 ? formatIPv4(bytes, at) : formatIPv6(bytes, at);
}

/**
 * The one spelling of an address that Awl compares and prints. IPv4-mapped IPv6 (`::ffff:1.2.3.4`)
 * becomes plain IPv4, because that is where a datagram sent to it goes.
 *
 * @throws {WireError} `bad-address`
 */
export function canonicalAddress(text: string): string {
  const bytes = parseAddress(text);
  if (!bytes) throw new WireError("bad-address", `not an IP address: ${text}`);
  if (bytes.length === 4) return formatIPv4(bytes, 0);
  return isIPv4Mapped(bytes) ? formatIPv4(bytes, 12) : formatIPv6(bytes, 0);
}

/** The family of an address that is known to be valid. */
export function addressFamily(address: string): AddressFamily {
  return address.includes(":") ? 6 : 4;
}

/** Whether these 16 bytes are `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2). */
export function isIPv4Mapped(bytes: Uint8Array): boolean {
  if (bytes[10] !== 0xff || bytes[11] !== 0xff) return false;
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return true;
}

function parseIPv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part)) return undefined;
    const octet = Number(part);
    if (octet > 255) return undefined;
    bytes[i] = octet;
  }
  return bytes;
}

function parseIPv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = parseGroups(halves[1] ?? "", true);
  if (!head || !tail) return undefined;
  const length = head.length + tail.length;
  const wanted = halves.length === 1 ? length === 16 : length <= 14;
  if (!wanted) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** `text`: colon-separated groups, the last of which may be dotted decimal where the address ends. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    if (endsAddress && i === groups.length - 1 && group.includes(".")) {
      const ipv4 = parseIPv4(group);
      if (!ipv4) return undefined;
      bytes.push(...ipv4);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function formatIPv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function formatIPv6(bytes: Uint8Array, at: number): string {
  const slice = bytes.subarray(at, at + 16);
  if (isIPv4Mapped(slice)) return `::ffff:${formatIPv4(slice, 12)}`;
  const groups = Array.from({ length: 8 }, (_, i) => ((slice[2 * i] ?? 0) << 8) | (slice[2 * i + 1] ?? 0));
  const gap = longestZeroRun(groups);
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  if (gap.length < 2) return hex(groups);
  return `${hex(groups.slice(0, gap.start))}::${hex(groups.slice(gap.start + gap.length))}`;
}

/** The first of the longest runs of zero groups: what RFC 5952 section 4.2 says to shorten. */
function longestZeroRun(groups: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: i - length + 1, length };
  }
  return best;
}
