import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAddress } from "./address.js";
import { cidrContains, parseCidr } from "./cidr.js";

const contains = (block: string, address: string) => cidrContains(parseCidr(block), parseAddress(address) ?? new Uint8Array(0));

test.each([
  ["10.0.0.0/8", "10.0.0.0", true],
  ["10.0.0.0/8", "10.255.255.255", true],
  ["10.0.0.0/8", "9.255.255.255", false],
  ["10.0.0.0/8", "11.0.0.0", false],
  ["172.16.0.0/12", "172.31.255.255", true],
  ["172.16.0.0/12", "172.32.0.0", false],
  ["0.0.0.0/0", "203.0.113.9", true],
  ["192.0.2.7", "192.0.2.7", true],
  ["192.0.2.7", "192.0.2.6", false],
  ["fc00::/7", "fdff::1", true],
  ["fc00::/7", "fe00::", false],
  ["2001:db8::/32", "2001:db8:ffff::1", true],
  ["::/0", "2001:db8::1", true],
  // Families do not mix …
  ["0.0.0.0/0", "::1", false],
  ["::/0", "1.2.3.4", false],
  // … and IPv4-mapped is IPv4, on either side: a deny list must not be passed in disguise.
  ["10.0.0.0/8", "::ffff:10.1.2.3", true],
  ["::ffff:10.0.0.0/104", "10.1.2.3", true],
  ["::ffff:0:0/96", "203.0.113.9", true],
  ["::/0", "::ffff:10.1.2.3", false],
] as const)("%s contains %s: %s", (block, address, inside) => {
  expect(contains(block, address)).toBe(inside);
});

test.each([
  "",
  "/8",
  "10.0.0.0/",
  "10.0.0.0/33",
  "10.0.0.0/-1",
  "10.0.0.0/08",
  "10.0.0.0/8/8",
  "10.0.0.0/0x8",
  "10.0.0.0/ 8",
  "::/129",
  "010.0.0.0/8",
  "example.org/8",
  // Bits behind the prefix: likely a typo for another block.
  "10.0.0.1/8",
  "172.16.0.0/11",
  "fc00::1/64",
  "::ffff:10.0.0.0/96",
])("refuses %j", (text) => {
  expect(() => parseCidr(text)).toThrow(expect.objectContaining({ name: "WireError", code: "bad-cidr" }));
});

test("contains exactly the addresses that share its first bits", () => {
  const bits = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const bytes = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(bytes, bytes, fc.nat(32), (inBlock, address, length) => {
      const masked = inBlock.map(
        (byte, i) =>
          byte &
          Number.parseInt(
            "1"
              .repeat(length)
              .padEnd(32, "0")
              .slice(8 * i, 8 * i + 8),
            2,
          ),
      );
      const block = parseCidr(`${masked.join(".")}/${length}`);
      const near = address.map((byte, i) => (i * 8 < length ? (inBlock[i] ?? 0) : byte));
      for (const candidate of [address, near]) {
        expect(cidrContains(block, candidate)).toBe(bits(candidate).slice(0, length) === bits(masked).slice(0, length));
      }
    }),
  );
});
