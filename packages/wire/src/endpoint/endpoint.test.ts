import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compareEndpoints,
  type Endpoint,
  endpoint,
  endpointFamily,
  formatEndpoint,
  parseEndpoint,
  sameEndpoint,
  splitHostPort,
} from "./endpoint.js";

/** From a small pool, so that equal ones meet. */
const endpoints: fc.Arbitrary<Endpoint> = fc
  .tuple(
    fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("0.0.0.0", "10.0.0.2", "9.0.0.1", "::", "::1", "::ffff:10.0.0.2")),
    fc.constantFrom(0, 1, 80, 65535),
  )
  .map(([address, port]) => endpoint(address, port));

describe("reading", () => {
  test.each([
    ["1.2.3.4:5", "1.2.3.4", 5],
    ["[2001:db8::1]:3478", "2001:db8::1", 3478],
    ["[::ffff:1.2.3.4]:5", "1.2.3.4", 5],
    ["[fe80::1%eth0]:65535", "fe80::1", 65535],
    ["1.2.3.4:0", "1.2.3.4", 0],
  ])("%s", (text, address, port) => {
    expect(parseEndpoint(text)).toEqual({ address, port });
  });

  test.each([
    ["1.2.3.4", "1.2.3.4"],
    ["::1", "::1"],
    ["[::1]", "::1"],
    // Not port 80: a bare IPv6 address is all address.
    ["::1:80", "::1:80"],
  ])("%s takes the default port", (text, address) => {
    expect(parseEndpoint(text, 3478)).toEqual({ address, port: 3478 });
    expect(() => parseEndpoint(text)).toThrow(expect.objectContaining({ code: "bad-endpoint" }));
  });

  test.each([
    "",
    ":",
    ":80",
    "1.2.3.4:",
    "1.2.3.4:65536",
    "1.2.3.4:99999",
    "1.2.3.4:123456",
    "1.2.3.4:-1",
    "1.2.3.4:8 0",
    "1.2.3.4: 80",
    "1.2.3.4:0x50",
    "1.2.3.4:80:90",
    "010.0.0.1:80",
    "[]:80",
    "[::1",
    "[::1]80",
    "[::1]:",
    "[1.2.3.4]:80",
    "example.org:80",
    "1.2.3.4:80\n",
  ])("refuses %j", (text) => {
    expect(() => parseEndpoint(text, 3478)).toThrow(expect.objectContaining({ name: "WireError", code: "bad-endpoint" }));
  });

  test("refuses ports and addresses that are none", () => {
    for (const port of [-1, 65536, 1.5, Number.NaN])
      expect(() => endpoint("1.2.3.4", port)).toThrow(expect.objectContaining({ code: "bad-endpoint" }));
    expect(() => endpoint("example.org", 1)).toThrow(expect.objectContaining({ code: "bad-address" }));
  });
});

test.each([
  ["stun.example.org:3478", { host: "stun.example.org", port: "3478" }],
  ["stun.example.org", { host: "stun.example.org" }],
  ["[::1]:80", { host: "::1", port: "80" }],
  ["2001:db8::1", { host: "2001:db8::1" }],
  ["[example.org]:80", undefined],
  ["a b:80", undefined],
  ["http://example.org", undefined],
])("splits %j", (text, parts) => {
  expect(splitHostPort(text)).toEqual(parts);
});

test("what is written is read back", () => {
  fc.assert(fc.property(endpoints, (each) => void expect(parseEndpoint(formatEndpoint(each))).toEqual(each)));
  expect(formatEndpoint({ address: "2001:db8::1", port: 80 })).toBe("[2001:db8::1]:80");
});

describe("order", () => {
  test("IPv4 before IPv6, then by address as a number, then by port", () => {
    const sorted = ["9.0.0.1:2", "10.0.0.1:1", "10.0.0.1:2", "[::2]:1", "[::10]:1"].map((text) => parseEndpoint(text));
    expect([...sorted].reverse().sort(compareEndpoints)).toEqual(sorted);
    expect(sorted.map(endpointFamily)).toEqual([4, 4, 4, 6, 6]);
  });

  test("is total and agrees with sameEndpoint", () => {
    fc.assert(
      fc.property(endpoints, endpoints, endpoints, (a, b, c) => {
        expect(Math.sign(compareEndpoints(a, b))).toBe(0 - Math.sign(compareEndpoints(b, a)));
        expect(compareEndpoints(a, b) === 0).toBe(sameEndpoint(a, b));
        expect(sameEndpoint(a, { ...a })).toBe(true);
        if (compareEndpoints(a, b) <= 0 && compareEndpoints(b, c) <= 0) expect(compareEndpoints(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });
});
