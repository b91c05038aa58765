import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalAddress, formatAddress, parseAddress } from "./address.js";

const hex = (text: string) => Buffer.from(parseAddress(text) ?? []).toString("hex");

describe("reading", () => {
  test.each([
    ["0.0.0.0", "00000000"],
    ["192.0.2.1", "c0000201"],
    ["255.255.255.255", "ffffffff"],
    // RFC 4291 section 2.2
    ["ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcdef0123456789abcdef0123456789"],
    ["2001:DB8:0:0:8:800:200C:417A", "20010db80000000000080800200c417a"],
    ["2001:DB8::8:800:200C:417A", "20010db80000000000080800200c417a"],
    ["FF01::101", "ff010000000000000000000000000101"],
    ["::1", "00000000000000000000000000000001"],
    ["::", "00000000000000000000000000000000"],
    ["0:0:0:0:0:0:13.1.68.3", "0000000000000000000000000d014403"],
    ["::FFFF:129.144.52.38", "00000000000000000000ffff81903426"],
    // A double colon may stand for a single group: allowed to read, not to write (RFC 5952 section 4.2.2).
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
    ["64:ff9b::192.0.2.33", "0064ff9b0000000000000000c0000221"],
  ])("%s", (text, bytes) => {
    expect(hex(text)).toBe(bytes);
  });

  test("drops a zone, which names an interface of this host", () => {
    expect(hex("fe80::1%eth0")).toBe(hex("fe80::1"));
    expect(hex("fe80::1%1")).toBe(hex("fe80::1"));
  });

  test.each([
    // inet_aton reads all of these as 127.0.0.1 or 10.x: the filter that reads them differently is bypassed.
    "0177.0.0.1",
    "010.0.0.1",
    "0x7f.0.0.1",
    "127.1",
    "2130706433",
    "00.0.0.0",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "256.0.0.1",
    "1.2.3.-4",
    "+1.2.3.4",
    " 1.2.3.4",
    "1.2.3.4\n",
    "1.2.3.4%eth0",
    "１.2.3.4",
    "1.2.3.4:5",
    "",
    ":",
    ":::",
    "1",
    "1::2::3",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4::5:6:7:8",
    "12345::",
    "g::",
    "::1.2.3",
    "::01.2.3.4",
    "::1.2.3.4:5",
    "1.2.3.4::",
    "1:2:3:4:5:6:7:1.2.3.4",
    "[::1]",
    "::1/128",
    "::1%",
    "::1%eth0%eth1",
    "::1%../../etc",
    "%:",
  ])("refuses %j", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test("agrees with node:net on what is an address, near the edge of being one", () => {
    const piece = fc.constantFrom(":", "::", ".", "%", "0", "00", "1", "9", "25", "255", "256", "a", "F", "ffff", "12345", "g", "eth0");
    const joined = fc.array(piece, { maxLength: 18 }).map((pieces) => pieces.join(""));
    const groups = fc
      .array(fc.constantFrom("0", "1", "ffff", "", "1.2.3.4"), { minLength: 6, maxLength: 9 })
      .map((parts) => parts.join(":"));
    const octets = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 3, maxLength: 5 }).map((parts) => parts.join("."));
    fc.assert(
      fc.property(fc.oneof(joined, groups, octets, fc.ipV4(), fc.ipV6(), fc.string()), (text) => {
        const length = isIPv4(text) ? 4 : isIPv6(text) ? 16 : undefined;
        expect(parseAddress(text)?.length).toBe(length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the one spelling", () => {
  test.each([
    // RFC 5952 section 1: all of them are the same address
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"],
    // section 4.1: no leading zeros
    ["2001:0db8::0001", "2001:db8::1"],
    // section 4.2.1: as short as possible
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["2001:db8::0:1", "2001:db8::1"],
    // section 4.2.2: never for one group
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    // section 4.2.3: the longest run, and the first of equals
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    // section 4.3: lower case
    ["2001:DB8::ABCD", "2001:db8::abcd"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    // IPv4-mapped: where the datagram goes
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["0:0:0:0:0:FFFF:7f00:1", "127.0.0.1"],
    // IPv4-compatible and translated are other destinations, and stay IPv6
    ["::1.2.3.4", "::102:304"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
    ["fe80::1%eth0", "fe80::1"],
    ["1.2.3.4", "1.2.3.4"],
  ])("%s is written %s", (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
  });

  test("is a fixed point, and reads back as the same bytes", () => {
    const bytes = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }), sparse());
    fc.assert(
      fc.property(bytes, (bytes) => {
        const text = formatAddress(bytes, bytes.length === 4 ? 4 : 6);
        const mapped = bytes.length === 16 && Buffer.from(bytes).toString("hex").startsWith("00000000000000000000ffff");
        expect(parseAddress(text)).toEqual(mapped ? bytes.slice(12) : bytes);
        expect(canonicalAddress(text)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  test("formats from the middle of a buffer", () => {
    const bytes = Buffer.from("eeee20010db8000000000000000000000001eeee", "hex");
    expect(formatAddress(bytes, 6, 2)).toBe("2001:db8::1");
    expect(formatAddress(Buffer.from("ee00000000000000000000ffff01020304", "hex"), 6, 1)).toBe("1.2.3.4");
    expect(formatAddress(bytes, 4, 2)).toBe("32.1.13.184");
  });

  test("is refused to what is no address", () => {
    expect(() => canonicalAddress("example.org")).toThrow(expect.objectContaining({ name: "WireError", code: "bad-address" }));
  });
});

/** Sixteen bytes full of zero groups, where the shortening is. */
function sparse(): fc.Arbitrary<Uint8Array> {
  const group = fc.constantFrom([0, 0], [0, 1], [0xff, 0xff]);
  return fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => Uint8Array.from(groups.flat()));
}
