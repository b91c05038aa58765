import { parseAddress } from "@awl/wire";

/** Who is held to be one source: an IPv4 address, or the first 7 bytes of an IPv6 one (/56, the smallest block that a site is given). */
export function sourceOf(address: string): string {
  const bytes = parseAddress(address);
  return bytes?.length === 16 ? bytes.subarray(0, 7).join(".") : address;
}
