import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatAddress, parseAddress } from "./address.js";
import { type AddressClass, classifyAddress, type EmbeddedForm, embeddedIPv4 } from "./address-class.js";
import { parseCidr } from "./cidr.js";

/** One class for a block's first and last address, or one each. */
type Inside = AddressClass | readonly [AddressClass, AddressClass];
type Row = readonly [block: string, inside: Inside, before: AddressClass | undefined, after: AddressClass | undefined];

/**
 * The IANA special-purpose address registries for IPv4 and IPv6 as of 2025-10-09, and the multicast and site-local blocks beside them.
 * Where the registry says "globally reachable" inside 192.0.0.0/24 and 2001::/23 (anycast of PCP, TURN, AS112, AMT; ORCHIDv2, DETs)
 * ours stays "reserved": nobody relays to those, and one rule for the whole block cannot be got wrong.
 */
const IPV4: readonly Row[] = [
  ["0.0.0.0/8", "unspecified", undefined, "global"],
  ["0.0.0.0/32", "unspecified", undefined, "unspecified"],
  ["10.0.0.0/8", "private", "global", "global"],
  ["100.64.0.0/10", "cgn", "global", "global"],
  ["127.0.0.0/8", "loopback", "global", "global"],
  ["169.254.0.0/16", "link-local", "global", "global"],
  ["172.16.0.0/12", "private", "global", "global"],
  ["192.0.0.0/24", "reserved", "global", "global"],
  ["192.0.0.0/29", "reserved", "global", "reserved"],
  ["192.0.0.8/32", "reserved", "reserved", "reserved"],
  ["192.0.0.9/32", "reserved", "reserved", "reserved"],
  ["192.0.0.10/32", "reserved", "reserved", "reserved"],
  ["192.0.0.170/32", "reserved", "reserved", "reserved"],
  ["192.0.0.171/32", "reserved", "reserved", "reserved"],
  ["192.0.2.0/24", "documentation", "global", "global"],
  ["192.31.196.0/24", "global", "global", "global"],
  ["192.52.193.0/24", "global", "global", "global"],
  ["192.88.99.0/24", "6to4", "global", "global"],
  ["192.88.99.2/32", "6to4", "6to4", "6to4"],
  ["192.168.0.0/16", "private", "global", "global"],
  ["192.175.48.0/24", "global", "global", "global"],
  ["198.18.0.0/15", "benchmarking", "global", "global"],
  ["198.51.100.0/24", "documentation", "global", "global"],
  ["203.0.113.0/24", "documentation", "global", "global"],
  ["224.0.0.0/4", "multicast", "global", "reserved"],
  ["240.0.0.0/4", ["reserved", "broadcast"], "multicast", undefined],
  ["255.255.255.255/32", "broadcast", "reserved", undefined],
];

/** Blocks that hold IPv4 addresses begin and end with 0.0.0.0 and 255.255.255.255 (Teredo inverts them), and say so. */
const IPV6: readonly Row[] = [
  ["::/128", "unspecified", undefined, "loopback"],
  ["::1/128", "loopback", "unspecified", "unspecified"],
  ["64:ff9b::/96", ["unspecified", "broadcast"], "reserved", "reserved"],
  ["64:ff9b:1::/48", ["unspecified", "broadcast"], "reserved", "reserved"],
  ["100::/64", "reserved", "reserved", "reserved"],
  ["100:0:0:1::/64", "reserved", "reserved", "reserved"],
  ["2001::/23", ["broadcast", "reserved"], "global", "global"],
  ["2001::/32", ["broadcast", "unspecified"], "global", "reserved"],
  ["2001:1::1/128", "reserved", "reserved", "reserved"],
  ["2001:1::2/128", "reserved", "reserved", "reserved"],
  ["2001:1::3/128", "reserved", "reserved", "reserved"],
  ["2001:2::/48", "benchmarking", "reserved", "reserved"],
  ["2001:3::/32", "reserved", "reserved", "reserved"],
  ["2001:4:112::/48", "reserved", "reserved", "reserved"],
  ["2001:10::/28", "reserved", "reserved", "reserved"],
  ["2001:20::/28", "reserved", "reserved", "reserved"],
  ["2001:30::/28", "reserved", "reserved", "reserved"],
  ["2001:db8::/32", "documentation", "global", "global"],
  ["2002::/16", ["unspecified", "broadcast"], "global", "global"],
  ["2620:4f:8000::/48", "global", "global", "global"],
  ["3fff::/20", "documentation", "global", "global"],
  ["5f00::/16", "reserved", "reserved", "reserved"],
  ["fc00::/7", "unique-local", "reserved", "reserved"],
  ["fe80::/10", "link-local", "reserved", "private"],
  ["fec0::/10", "private", "link-local", "multicast"],
  ["ff00::/8", "multicast", "private", undefined],
];

test.each([...IPV4, ...IPV6])("%s", (block, inside, before, after) => {
  const { first, last } = bounds(block);
  const [ofFirst, ofLast] = typeof inside === "string" ? [inside, inside] : inside;
  const around = {
    before: classAt(first - 1n, block),
    first: classAt(first, block),
    last: classAt(last, block),
    after: classAt(last + 1n, block),
  };
  expect(around).toEqual({ before, first: ofFirst, last: ofLast, after });
});

test("::ffff:0:0/96 is IPv4", () => {
  expect(classifyAddress("::ffff:0.0.0.0")).toBe("unspecified");
  expect(classifyAddress("::ffff:255.255.255.255")).toBe("broadcast");
  expect(classifyAddress("::fffe:ffff:ffff")).toBe("reserved");
  expect(classifyAddress("::1:0:0:0")).toBe("reserved");
});

/** How each form spells an IPv4 address, and what it is classed as where that address is global. */
const FORMS: readonly [EmbeddedForm, (ipv4: Uint8Array) => string, AddressClass][] = [
  ["mapped", (ipv4) => `::ffff:${ipv4.join(".")}`, "global"],
  ["compatible", (ipv4) => `::${ipv4.join(".")}`, "reserved"],
  ["translated", (ipv4) => `::ffff:0:${ipv4.join(".")}`, "reserved"],
  ["nat64", (ipv4) => `64:ff9b::${ipv4.join(".")}`, "nat64"],
  ["nat64", (ipv4) => `64:ff9b:1:2:3:4:${ipv4.join(".")}`, "nat64"],
  ["6to4", (ipv4) => `2002:${groups(ipv4)}::1`, "6to4"],
  ["teredo", (ipv4) => `2001::4136:e378:8000:63bf:${groups(ipv4.map((byte) => byte ^ 0xff))}`, "teredo"],
  ["isatap", (ipv4) => `2600::5efe:${ipv4.join(".")}`, "global"],
  ["isatap", (ipv4) => `2600::200:5efe:${ipv4.join(".")}`, "global"],
];

describe.each(FORMS)("%s", (form, spell, globalClass) => {
  test.each([
    ["127.0.0.1", "loopback"],
    ["10.0.0.1", "private"],
    ["169.254.169.254", "link-local"],
    ["0.0.0.0", "unspecified"],
    ["224.0.0.1", "multicast"],
    ["8.8.8.8", globalClass],
  ])(`of %s is %s`, (ipv4, expected) => {
    const address = spell(parseAddress(ipv4) ?? new Uint8Array(4));
    expect(classifyAddress(address)).toBe(expected);
    // "::0.0.0.0" is the unspecified address itself.
    expect(embeddedIPv4(address)).toEqual(address === "::0.0.0.0" ? undefined : { form, address: ipv4 });
  });

  test("is global only where the IPv4 address is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (ipv4) => {
        if (classifyAddress(spell(ipv4)) === "global") expect(classifyAddress(ipv4.join("."))).toBe("global");
      }),
    );
  });
});

test("an ISATAP identifier does not turn a link-local or unique-local address into its IPv4 address", () => {
  expect(classifyAddress("fe80::5efe:127.0.0.1")).toBe("link-local");
  expect(classifyAddress("fd00::200:5efe:8.8.8.8")).toBe("unique-local");
});

// A TURN server relayed to its own loopback through the unspecified address and ::1, which its deny list did not name.
test("CVE-2020-26262", () => {
  expect(["0.0.0.0", "::", "::1", "0.1.2.3"].map(classifyAddress)).toEqual(["unspecified", "unspecified", "loopback", "unspecified"]);
});

// The same server, again: the IPv4 deny rules were not asked about IPv4-mapped IPv6.
test.each([
  "::ffff:127.0.0.1",
  "::FFFF:7f00:1",
  "0:0:0:0:0:ffff:127.0.0.1",
  "0000:0000:0000:0000:0000:ffff:7f00:0001",
  "::ffff:127.0.0.1%lo",
])("CVE-2026-27624: %s", (address) => {
  expect(classifyAddress(address)).toBe("loopback");
});

test("what is no address has no class", () => {
  expect(() => classifyAddress("localhost")).toThrow(expect.objectContaining({ code: "bad-address" }));
  expect(embeddedIPv4("localhost")).toBeUndefined();
  expect(embeddedIPv4("127.0.0.1")).toBeUndefined();
  expect(embeddedIPv4("2600::1")).toBeUndefined();
});

function groups(ipv4: Uint8Array): string {
  return Buffer.from(ipv4)
    .toString("hex")
    .replace(/^(....)/, "$1:");
}

function bounds(block: string): { first: bigint; last: bigint } {
  const { bytes, bits } = parseCidr(block);
  const first = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  return { first, last: first + (1n << BigInt(bytes.length * 8 - bits)) - 1n };
}

/** The class of an address given as a number, of the block's family; `undefined` past either end of the address space. */
function classAt(value: bigint, block: string): AddressClass | undefined {
  const length = block.includes(":") ? 16 : 4;
  if (value < 0n || value >> BigInt(length * 8) !== 0n) return undefined;
  const bytes = Buffer.from(value.toString(16).padStart(length * 2, "0"), "hex");
  return classifyAddress(formatAddress(bytes, length === 4 ? 4 : 6));
}
