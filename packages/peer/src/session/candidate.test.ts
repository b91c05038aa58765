import fc from "fast-check";
import { expect, test } from "vitest";
import { admitCandidates, type Candidate, isAdmissible, MAX_REMOTE_CANDIDATES, rank } from "./candidate.js";

const own = new Set(["192.168.1.10", "2001:db8::10"]);
const host = (address: string, port = 4_000): Candidate => ({ type: "host", address, port });

test.each([
  "127.0.0.1",
  "127.9.9.9",
  "::1",
  "0.0.0.0",
  "::",
  "224.0.0.251",
  "ff02::1",
  "255.255.255.255",
  "169.254.169.254",
  "fe80::1",
  "192.168.1.10",
  "2001:db8::10",
])("no check goes to %s", (address) => {
  expect(isAdmissible(host(address), own)).toBe(false);
});

test.each(["192.168.1.11", "10.0.0.1", "100.64.0.1", "198.18.0.1", "2001:4860::1", "fd00::1"])("checks may go to %s", (address) => {
  expect(isAdmissible(host(address), own)).toBe(true);
  expect(isAdmissible(host(address, 0), own)).toBe(false);
});

test("at most 16, each once, in the order of the offer", () => {
  const candidate = fc.record({
    type: fc.constantFrom<Candidate["type"]>("host", "server-reflexive"),
    address: fc.oneof(fc.ipV4(), fc.constantFrom("192.168.1.10", "127.0.0.1", "10.0.0.1")),
    port: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(candidate, { maxLength: 64 }), (offered) => {
      const admitted = admitCandidates(offered, own);
      expect(admitted.length).toBeLessThanOrEqual(MAX_REMOTE_CANDIDATES);
      expect(new Set(admitted.map(({ address, port }) => `${address} ${port}`)).size).toBe(admitted.length);
      expect(admitted.every((one) => isAdmissible(one, own))).toBe(true);
      expect(offered.filter((one) => admitted.includes(one))).toEqual(admitted);
    }),
  );
});

test("the LAN is better than IPv6, that than the network between NATs, that than a public address, that than a relay", () => {
  const ranks = [
    host("192.168.1.11"),
    host("2001:4860::1"),
    { ...host("100.64.0.1"), type: "server-reflexive" as const },
    { ...host("198.51.100.1"), type: "server-reflexive" as const },
    { ...host("198.51.100.2"), type: "relayed" as const },
  ].map(rank);
  expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
  expect(new Set(ranks).size).toBe(ranks.length);
});
