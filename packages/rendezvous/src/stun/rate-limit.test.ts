import { describe, expect, test } from "vitest";
import { DEFAULT_REFLECTION_LIMITS, ReflectionLimiter } from "./rate-limit.js";

/** How many of `count` answers are let through at one moment. */
function takes(limiter: ReflectionLimiter, now: number, address: string, count: number): number {
  let taken = 0;
  for (let i = 0; i < count; i++) if (limiter.take(now, address)) taken++;
  return taken;
}

const ADDRESS = (i: number) => `${1 + ((i >>> 16) % 223)}.${(i >>> 8) & 0xff}.${i & 0xff}.7`;

describe("ReflectionLimiter", () => {
  test("a prefix has its burst, then its rate", () => {
    const limiter = new ReflectionLimiter({ prefixBurst: 10, prefixRate: 5 });
    expect(takes(limiter, 0, "192.0.2.1", 20)).toBe(10);
    expect(takes(limiter, 200, "192.0.2.1", 20)).toBe(1);
    expect(takes(limiter, 1000, "192.0.2.1", 20)).toBe(4);
    expect(takes(limiter, 60_000, "192.0.2.1", 20)).toBe(10);
  });

  test.each([
    ["a /24 of IPv4", "192.0.2.1", "192.0.2.254", "192.0.3.1"],
    ["a /56 of IPv6", "2001:db8:0:1::1", "2001:db8:0:ff:ffff::", "2001:db8:0:100::1"],
    ["IPv4 in IPv6 is that IPv4", "192.0.2.1", "::ffff:192.0.2.9", "::ffff:192.0.3.9"],
    ["a zone is no part of an address", "fe80::1%eth0", "fe80::2%eth1", "fe80:0:0:100::1"],
  ])("%s is one source", (_what, address, neighbour, stranger) => {
    const limiter = new ReflectionLimiter({ prefixBurst: 2, prefixRate: 1 });
    expect(takes(limiter, 0, address, 2)).toBe(2);
    expect(limiter.take(0, neighbour)).toBe(false);
    expect(limiter.take(0, stranger)).toBe(true);
  });

  test("all prefixes together have the common burst and rate", () => {
    const limiter = new ReflectionLimiter({ globalBurst: 5, globalRate: 10 });
    for (let i = 0; i < 5; i++) expect(limiter.take(0, ADDRESS(i))).toBe(true);
    expect(limiter.take(0, ADDRESS(5))).toBe(false);
    expect(limiter.take(100, ADDRESS(5))).toBe(true);
    expect(limiter.take(100, ADDRESS(6))).toBe(false);
  });

  test("what a prefix is refused costs the others nothing", () => {
    const limiter = new ReflectionLimiter({ prefixBurst: 1, prefixRate: 1, globalBurst: 3, globalRate: 1 });
    expect(takes(limiter, 0, "192.0.2.1", 100)).toBe(1);
    expect(limiter.take(0, "198.51.100.1")).toBe(true);
  });

  test("a clock that steps back gives nothing", () => {
    const limiter = new ReflectionLimiter({ prefixBurst: 1, prefixRate: 1000 });
    expect(limiter.take(5000, "192.0.2.1")).toBe(true);
    expect(limiter.take(0, "192.0.2.1")).toBe(false);
  });

  test("a million prefixes a second stay within the table, and one honest prefix keeps its bucket", () => {
    const limiter = new ReflectionLimiter();
    const { maxPrefixes, globalBurst, globalRate, prefixBurst, prefixRate } = DEFAULT_REFLECTION_LIMITS;
    // Why the default table never has to forget a bucket that is not full.
    expect(maxPrefixes).toBeGreaterThan(globalBurst + (globalRate * prefixBurst) / prefixRate);

    let reflected = 0;
    let most = 0;
    for (let i = 0; i < 1_000_000; i++) {
      if (limiter.take(i / 1000, ADDRESS(i))) reflected++;
      most = Math.max(most, limiter.prefixes);
    }
    expect(most).toBeLessThanOrEqual(maxPrefixes);
    expect(reflected).toBeLessThanOrEqual(globalBurst + globalRate);
    expect(takes(limiter, 2000, "203.0.113.1", prefixBurst)).toBe(prefixBurst);
  });

  test("a full table forgets the prefix that was quiet for longest", () => {
    const limiter = new ReflectionLimiter({ maxPrefixes: 2, prefixBurst: 1, prefixRate: 0.001 });
    expect(limiter.take(0, "192.0.2.1")).toBe(true);
    expect(limiter.take(1, "198.51.100.1")).toBe(true);
    expect(limiter.take(2, "192.0.2.1")).toBe(false);
    expect(limiter.take(3, "203.0.113.1")).toBe(true);
    expect(limiter.prefixes).toBe(2);
    expect(limiter.take(4, "192.0.2.1")).toBe(false);
    expect(limiter.take(5, "198.51.100.1")).toBe(true);
    expect(limiter.take(6, "198.51.100.1")).toBe(false);
    expect(limiter.take(7, "192.0.2.1")).toBe(false);
  });
});
