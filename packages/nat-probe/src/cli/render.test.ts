import { expect, test } from "vitest";
import type { Evidence } from "../machine/evidence.js";
import { makeReport } from "../report.js";
import { renderReport } from "./render.js";

const evidence: Evidence = {
  udp: "open",
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  confidence: "high",
  local: { address: "192.168.1.10", port: 40001 },
  public: [{ mapped: { address: "198.18.1.1", port: 12345 }, server: { address: "203.0.113.1", port: 3478 } }],
  obstacles: [],
};

test("a person reads a verdict, aligned facts, and a sentence", () => {
  expect(renderReport(makeReport(evidence), false)).toMatchInlineSnapshot(`
    "Port-restricted cone NAT

      mapping     endpoint-independent: one public port for all destinations
      filtering   address and port-dependent: lets in only endpoints that were sent to
      local       192.168.1.10:40001
      public      198.18.1.1:12345  seen by 203.0.113.1:3478
      confidence  high

    The NAT lets in only the very endpoint you sent to first: peers connect
    directly by sending at the same time, except for those behind a symmetric NAT,
    whose ports must be predicted or who need a relay.
    "
  `);
});

test("colour only where it is asked for", () => {
  expect(renderReport(makeReport(evidence), true)).toContain("\u001b[1mPort-restricted cone NAT\u001b[0m");
  expect(renderReport(makeReport(evidence), false)).not.toContain("\u001b");
});

test("what was not measured is null or unknown in the document", () => {
  const { public: _, ...rest } = makeReport(evidence);
  expect(rest).toMatchObject({
    schemaVersion: 1,
    type: "port-restricted-cone",
    hairpin: null,
    allocation: { kind: "unknown", delta: null },
    pooled: null,
    inboundFirstRemaps: null,
    lifetimeSeconds: null,
    natLayers: null,
    portMapping: { upnp: null, natPmp: null, pcp: null },
    reach: null,
  });
});

test("an unknown verdict says what was in the way, and a host without a network is told so", () => {
  const unknown = makeReport({ ...evidence, mapping: "unknown", filtering: "unknown", confidence: "low", obstacles: ["single-server"] });
  expect(unknown.summary).toBe(
    "UDP works, but the kind of NAT could not be told: that takes a server with two addresses, or at least two servers.",
  );
  expect(makeReport({ ...evidence, udp: "blocked", local: undefined, public: [] }).summary).toContain("no network");
});
