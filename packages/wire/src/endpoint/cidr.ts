import { WireError } from "../errors.js";
import { isIPv4Mapped, parseAddress } from "./address.js";

/** A block of addresses of one family: the first `bits` bits of `bytes`. IPv4-mapped IPv6 counts as IPv4, which it is. */
export interface Cidr {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/**
 * Reads `10.0.0.0/8` or `fc00::/7`; an address alone is a block of one.
 *
 * @throws {WireError} `bad-cidr`, also for a prefix with bits set behind its length (a likely typo)
 */
export function parseCidr(text: string): Cidr {
  const [address = "", length, ...rest] = text.split("/");
  const bytes = parseAddress(address);
  const bits = length === undefined ? (bytes?.length ?? 0) * 8 : /^(0|[1-9]\d{0,2})$/.test(length) ? Number(length) : -1;
  if (!bytes || rest.length > 0 || bits < 0 || bits > bytes.length * 8) {
    throw new WireError("bad-cidr", `not a block of addresses: ${text}`);
  }
  if (bytes.some((byte, i) => (byte & ~mask(bits, i)) !== 0)) {
    throw new WireError("bad-cidr", `address bits set behind the prefix length: ${text}`);
  }
  return bytes.length === 16 && isIPv4Mapped(bytes) ? { bytes: bytes.subarray(12), bits: bits - 96 } : { bytes, bits };
}

/** Whether these address bytes lie in the block; never across families. */
export function cidrContains({ bytes, bits }: Cidr, address: Uint8Array): boolean {
  const plain = address.length === 16 && isIPv4Mapped(address) ? address.subarray(12) : address;
  if (plain.length !== bytes.length) return false;
  for (let i = 0; i * 8 < bits; i++) {
    if (((plain[i] ?? 0) & mask(bits, i)) !== bytes[i]) return false;
  }
  return true;
}

function mask(bits: number, byteIndex: number): number {
  const inside = Math.min(8, Math.max(0, bits - byteIndex * 8));
  return (0xff << (8 - inside)) & 0xff;
}
