/** What the literature and the kernel say of some pairs, which the table's few rules have to arrive at. */
import { expect, test } from "vitest";
import { NAT_KIND_NAMES, NAT_KINDS, type NatKindName } from "./grid/nat-kinds.js";
import { verdictOn } from "./grid/verdict.js";
import { CELLS, type Cell, expectationOf } from "./grid.js";

const CONES: readonly NatKindName[] = ["open", "full-cone", "address-restricted", "port-restricted", "masquerade", "cgn", "firewall"];

test("there is a cell for every ordered pair", () => {
  expect(new Set(CELLS.map(String)).size).toBe(NAT_KIND_NAMES.length ** 2);
});

test.each(NAT_KIND_NAMES)("the verdict on %s follows from its routers", (kind) => {
  expect(verdictOn(NAT_KINDS[kind].layers)).toEqual(NAT_KINDS[kind].expected);
});

test("it makes no difference who connects", () => {
  for (const [a, b] of CELLS) expect(expectationOf([a, b]), `${a}, ${b}`).toEqual(expectationOf([b, a]));
});

test("cones reach each other", () => {
  for (const a of CONES) for (const b of CONES) expect(expectationOf([a, b]), `${a}, ${b}`).toEqual({ outcome: "direct" });
});

test.each<[...Cell, ReturnType<typeof expectationOf>]>([
  ["full-cone", "symmetric", { outcome: "direct" }],
  ["address-restricted", "symmetric", { outcome: "direct" }],
  ["address-restricted", "symmetric-pooled", { outcome: "luck", reason: "one-symmetric" }],
  ["port-restricted", "symmetric", { outcome: "none", reason: "one-symmetric" }],
  ["firewall", "symmetric-sequential", { outcome: "none", reason: "one-symmetric" }],
  ["cgn", "address-dependent-mapping", { outcome: "none", reason: "one-symmetric" }],
  ["symmetric", "symmetric", { outcome: "none", reason: "both-symmetric" }],
  ["ipv6-firewall", "symmetric", { outcome: "none", reason: "both-symmetric" }],
  ["ipv6-firewall", "ipv6-firewall", { outcome: "direct" }],
  ["open", "udp-blocked", { outcome: "none", reason: "udp-blocked" }],
])("%s, %s", (a, b, expected) => {
  expect(expectationOf([a, b])).toEqual(expected);
});
