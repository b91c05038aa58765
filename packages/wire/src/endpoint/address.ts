import { uint16At } from "../bytes.js";
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
  if (zone < 0) return parseIPv6(text);
  return ZONE.test(text.slice(zone)) ? parseIPv6(text.slice(0, zone)) : undefined;
}

/**
 * Writes 4 or 16 bytes (from `at` on) in the one spelling of an address that Awl compares and prints:
 * dotted decimal for IPv4, RFC 5952 for IPv6. IPv4-mapped IPv6 (`::ffff:1.2.3.4`) becomes plain IPv4,
 * because that is where a datagram sent to it goes: whoever compares, classifies or denies an address
 * must not be shown the same destination under a second name.
 */
export function formatAddress(bytes: Uint8Array, family: AddressFamily, at = 0): string {
  if (family === 4) return formatIPv4(bytes, at);
  return isIPv4Mapped(bytes, at) ? formatIPv4(bytes, at + 12) : formatIPv6(bytes, at);
}

/**
 * Any spelling of an address as {@link formatAddress} writes it.
 *
 * @throws {WireError} `bad-address`
 */
export function canonicalAddress(text: string): string {
  const bytes = parseAddress(text);
  if (!bytes) throw new WireError("bad-address", `not an IP address: ${text}`);
  return formatAddress(bytes, bytes.length === 4 ? 4 : 6);
}

/** The family of an address that is known to be valid. */
export function addressFamily(address: string): AddressFamily {
  return address.includes(":") ? 6 : 4;
}

/** Whether the 16 bytes from `at` on are `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2). */
export function isIPv4Mapped(bytes: Uint8Array, at = 0): boolean {
  if (uint16At(bytes, at + 10) !== 0xffff) return false;
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false;
  return true;
}

/** RFC 4007 section 11.2 leaves the characters of a zone to the system; these are what interface names are made of. */
const ZONE = /^%[\w.:-]+$/;

const DOT = 0x2e;
const ZERO = 0x30;

function parseIPv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  let parts = 0;
  let octet = -1;
  for (let i = 0; i <= text.length; i++) {
    const character = i < text.length ? text.charCodeAt(i) : DOT;
    if (character === DOT) {
      if (octet < 0 || parts === 4) return undefined;
      bytes[parts++] = octet;
      octet = -1;
    } else {
      const digit = character - ZERO;
      // A digit behind a leading zero: C libraries read 010 as octal 8, others as 10.
      if (digit < 0 || digit > 9 || octet === 0) return undefined;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return undefined;
    }
  }
  return parts === 4 ? bytes : undefined;
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
  const gap = longestZeroRun(bytes, at);
  let text = "";
  for (let i = 0; i < 8; i++) {
    if (i === gap.start) {
      text += "::";
      i = gap.end - 1;
    } else {
      text += `${i === 0 || i === gap.end ? "" : ":"}${uint16At(bytes, at + 2 * i).toString(16)}`;
    }
  }
  return text;
}

/** The first of the longest runs of two or more zero groups: what RFC 5952 section 4.2 says to shorten. */
function longestZeroRun(bytes: Uint8Array, at: number): { start: number; end: number } {
  let best = { start: -1, end: -1 };
  let longest = 1;
  let length = 0;
  for (let i = 0; i < 8; i++) {
    length = uint16At(bytes, at + 2 * i) === 0 ? length + 1 : 0;
    if (length > longest) {
      longest = length;
      best = { start: i - length + 1, end: i + 1 };
    }
  }
  return best;
}
