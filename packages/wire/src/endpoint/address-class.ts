import { WireError } from "../errors.js";
import { formatAddress, isIPv4Mapped, parseAddress } from "./address.js";
import { type Cidr, cidrContains, parseCidr } from "./cidr.js";

/** What an address is for. Only `global` may be handed traffic on a stranger's word. */
export type AddressClass =
  | "global"
  | "unspecified"
  | "loopback"
  | "link-local"
  | "private"
  | "cgn"
  | "unique-local"
  | "multicast"
  | "broadcast"
  | "documentation"
  | "benchmarking"
  | "6to4"
  | "teredo"
  | "nat64"
  | "reserved";

/** The ways an IPv4 address hides in an IPv6 one; datagrams sent to any of them may end at that IPv4 address. */
export type EmbeddedForm = "mapped" | "compatible" | "translated" | "nat64" | "6to4" | "teredo" | "isatap";

/**
 * Classifies an address by the IANA special-purpose registries (RFC 6890 and successors).
 *
 * IPv4 inside IPv6 is unwrapped first: if the inner address is anything but global, *its* class is the answer,
 * so that `64:ff9b::127.0.0.1` is a loopback address and not a harmless translated one.
 *
 * @throws {WireError} `bad-address`
 */
export function classifyAddress(address: string): AddressClass {
  const bytes = parseAddress(address);
  if (!bytes) throw new WireError("bad-address", `not an IP address: ${address}`);
  if (bytes.length === 4) return lookup(bytes) ?? "global";
  const outer = lookup(bytes) ?? "reserved";
  const embedded = findEmbedded(bytes);
  if (!embedded) return outer;
  const inner = lookup(embedded.bytes) ?? "global";
  if (embedded.form === "mapped") return inner;
  // A link-local or ULA address with an ISATAP identifier stays what it is: it never leaves its link or site.
  if (embedded.form === "isatap" && outer !== "global") return outer;
  return inner === "global" ? outer : inner;
}

/** The IPv4 address inside an IPv6 address, in dotted decimal, with the form it hides in; `undefined` if there is none. */
export function embeddedIPv4(address: string): { form: EmbeddedForm; address: string } | undefined {
  const bytes = parseAddress(address);
  const embedded = bytes?.length === 16 ? findEmbedded(bytes) : undefined;
  return embedded && { form: embedded.form, address: formatAddress(embedded.bytes, 4) };
}

function findEmbedded(bytes: Uint8Array): { form: EmbeddedForm; bytes: Uint8Array } | undefined {
  const last = bytes.subarray(12);
  if (isIPv4Mapped(bytes)) return { form: "mapped", bytes: last };
  if (cidrContains(TRANSLATED, bytes)) return { form: "translated", bytes: last };
  if (cidrContains(COMPATIBLE, bytes) && !cidrContains(UNSPECIFIED_OR_LOOPBACK, bytes)) return { form: "compatible", bytes: last };
  if (cidrContains(NAT64, bytes) || cidrContains(NAT64_LOCAL, bytes)) return { form: "nat64", bytes: last };
  if (cidrContains(SIX_TO_FOUR, bytes)) return { form: "6to4", bytes: bytes.subarray(2, 6) };
  if (cidrContains(TEREDO, bytes)) return { form: "teredo", bytes: last.map((byte) => byte ^ 0xff) };
  if (hasIsatapInterfaceId(bytes)) return { form: "isatap", bytes: last };
  return undefined;
}

/** RFC 5214 section 6.1: the interface identifier is 0000:5efe or 0200:5efe, then the IPv4 address. */
function hasIsatapInterfaceId(bytes: Uint8Array): boolean {
  return ((bytes[8] ?? 0) & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
}

function lookup(bytes: Uint8Array): AddressClass | undefined {
  return REGISTRY.find(([block]) => cidrContains(block, bytes))?.[1];
}

const COMPATIBLE = parseCidr("::/96");
const UNSPECIFIED_OR_LOOPBACK = parseCidr("::/127");
const TRANSLATED = parseCidr("::ffff:0:0:0/96");
const NAT64 = parseCidr("64:ff9b::/96");
const NAT64_LOCAL = parseCidr("64:ff9b:1::/48");
const SIX_TO_FOUR = parseCidr("2002::/16");
const TEREDO = parseCidr("2001::/32");

/** The first block that holds an address decides, so narrow blocks stand before wide ones. */
const REGISTRY: readonly (readonly [Cidr, AddressClass])[] = (
  [
    ["0.0.0.0/8", "unspecified"],
    ["10.0.0.0/8", "private"],
    ["100.64.0.0/10", "cgn"],
    ["127.0.0.0/8", "loopback"],
    ["169.254.0.0/16", "link-local"],
    ["172.16.0.0/12", "private"],
    ["192.0.0.0/24", "reserved"],
    ["192.0.2.0/24", "documentation"],
    ["192.88.99.0/24", "6to4"],
    ["192.168.0.0/16", "private"],
    ["198.18.0.0/15", "benchmarking"],
    ["198.51.100.0/24", "documentation"],
    ["203.0.113.0/24", "documentation"],
    ["224.0.0.0/4", "multicast"],
    ["255.255.255.255/32", "broadcast"],
    ["240.0.0.0/4", "reserved"],
    ["::/128", "unspecified"],
    ["::1/128", "loopback"],
    ["64:ff9b::/96", "nat64"],
    ["64:ff9b:1::/48", "nat64"],
    ["2001::/32", "teredo"],
    ["2001:2::/48", "benchmarking"],
    ["2001:db8::/32", "documentation"],
    ["2001::/23", "reserved"],
    ["2002::/16", "6to4"],
    ["3fff::/20", "documentation"],
    ["2000::/3", "global"],
    ["fc00::/7", "unique-local"],
    ["fe80::/10", "link-local"],
    ["fec0::/10", "private"],
    ["ff00::/8", "multicast"],
  ] as const
).map(([block, name]) => [parseCidr(block), name]);
