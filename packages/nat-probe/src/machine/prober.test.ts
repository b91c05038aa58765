import { randomBytes } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Filtering, Mapping } from "../behavior.js";
import { Prober } from "./prober.js";
import { PRIMARY, runProbe, SECOND_PLAIN, type ServerDouble } from "./world.test-support.js";

const MAPPINGS = ["endpoint-independent", "address-dependent", "address-and-port-dependent", "none"] as const satisfies Mapping[];
const FILTERINGS = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const satisfies Filtering[];

describe.each(MAPPINGS)("mapping %s", (mapping) => {
  test.each(FILTERINGS)("with filtering %s is told", (filtering) => {
    const { evidence, ms } = runProbe({ mapping, filtering });
    expect(evidence).toMatchObject({ udp: "open", mapping, filtering, confidence: "high", obstacles: [] });
    expect(ms).toBeLessThan(500);
  });
});

test("for any loss up to 20 % each way, any seed and any delay, a verdict is right or has low confidence", () => {
  const worlds = fc.record({
    mapping: fc.constantFrom(...MAPPINGS),
    filtering: fc.constantFrom(...FILTERINGS),
    loss: fc.double({ min: 0, max: 0.2, noNaN: true }),
    delayMs: fc.integer({ min: 0, max: 150 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(worlds, (world) => {
      const { evidence } = runProbe(world);
      if (evidence.confidence === "high") {
        expect(evidence).toMatchObject({ udp: "open", mapping: world.mapping, filtering: world.filtering });
      }
    }),
    { numRuns: 2_000 },
  );
});

test("at 5 % loss each way the verdict is still reached, not only not wrong", () => {
  for (let seed = 0; seed < 300; seed++) {
    const { evidence } = runProbe({ mapping: "endpoint-independent", filtering: "address-dependent", loss: 0.05, seed });
    expect(evidence, `seed ${seed}`).toMatchObject({ mapping: "endpoint-independent", filtering: "address-dependent" });
  }
});

describe("a server that cannot test filtering makes it unknown, not wrong", () => {
  const cases: [ServerDouble, Filtering, string][] = [
    ["plain", "endpoint-independent", "no-behavior-server"],
    ["same-address", "endpoint-independent", "no-behavior-server"],
    ["refuses-change", "endpoint-independent", "server-refuses"],
    ["deaf-to-change", "endpoint-independent", "server-refuses"],
    ["mute-to-change", "endpoint-independent", "server-refuses"],
    ["dead-alternate", "address-and-port-dependent", "alternate-dead"],
    // Behind a NAT that filters, such a server cannot be told from one that is not there.
    ["misdirects", "endpoint-independent", "server-misdirects"],
  ];
  test.each(cases)("%s", (server, filtering, obstacle) => {
    const { evidence } = runProbe({ mapping: "endpoint-independent", filtering, server });
    expect(evidence).toMatchObject({ udp: "open", filtering: "unknown", confidence: "low" });
    expect(evidence.obstacles).toContain(obstacle);
  });
});

test("a server of RFC 3489, without XOR-MAPPED-ADDRESS, will do", () => {
  const { evidence } = runProbe({ mapping: "endpoint-independent", filtering: "address-dependent", server: "classic" });
  expect(evidence).toMatchObject({ mapping: "endpoint-independent", filtering: "address-dependent", confidence: "high" });
});

test("two plain servers tell mapping, though not filtering", () => {
  const targets = [PRIMARY, SECOND_PLAIN];
  for (const mapping of ["endpoint-independent", "address-and-port-dependent", "none"] as const) {
    const { evidence } = runProbe({ mapping, filtering: "address-and-port-dependent", server: "plain", targets });
    expect(evidence).toMatchObject({ mapping, filtering: "unknown", confidence: "low", obstacles: ["no-behavior-server"] });
  }
});

test("one plain server tells neither, unless there is no NAT at all", () => {
  const run = (mapping: Mapping) => runProbe({ mapping, filtering: "endpoint-independent", server: "plain" }).evidence;
  expect(run("endpoint-independent")).toMatchObject({ mapping: "unknown", obstacles: ["single-server", "no-behavior-server"] });
  expect(run("none")).toMatchObject({ mapping: "none", filtering: "unknown" });
});

test("a port that an earlier run left open does not make a full cone", () => {
  for (let stale = 0; stale < 8; stale++) {
    const { evidence } = runProbe({
      mapping: "endpoint-independent",
      filtering: "address-and-port-dependent",
      stalePorts: (socket) => socket === stale,
    });
    expect(evidence, `socket ${stale}`).toMatchObject({
      mapping: "endpoint-independent",
      filtering: "address-and-port-dependent",
      confidence: "high",
    });
  }
});

test("a NAT that lets everybody in on some ports, and on others not, is not told with confidence", () => {
  const { evidence } = runProbe({
    mapping: "endpoint-independent",
    filtering: "address-and-port-dependent",
    stalePorts: (socket) => socket % 3 === 0,
  });
  expect(evidence).toMatchObject({ confidence: "low", obstacles: ["inconsistent"] });
});

test("a line that is slower than thought is not a lossy one", () => {
  // The first answer comes at once, all later ones after more than the least retransmission timeout.
  const { evidence, sent } = runProbe({
    mapping: "endpoint-independent",
    filtering: "address-and-port-dependent",
    delayMs: 2,
    laterDelayMs: 40,
  });
  expect(evidence).toMatchObject({ filtering: "address-and-port-dependent", confidence: "high", obstacles: [] });
  expect(sent).toBeGreaterThan(45);
});

test("no answer at all is udp-blocked, within the time that was given", () => {
  const { evidence, ms, sent } = runProbe({ mapping: "endpoint-independent", filtering: "endpoint-independent", loss: 1 });
  expect(evidence).toMatchObject({ udp: "blocked", mapping: "unknown", filtering: "unknown", confidence: "high" });
  expect(ms).toBeCloseTo(2_200);
  expect(sent).toBe(10);
});

test("every socket is announced before it is used, and tests of different kinds never share one", () => {
  const { outputs } = runProbe({ mapping: "endpoint-independent", filtering: "address-and-port-dependent" });
  const opened = new Set<number>();
  const asked = new Map<number, Set<string>>();
  for (const output of outputs) {
    if (output.type === "open") opened.add(output.socket);
    if (output.type !== "send") continue;
    expect(opened).toContain(output.socket);
    const addresses = asked.get(output.socket) ?? new Set();
    asked.set(output.socket, addresses.add(output.to.address));
  }
  // Two sockets for mapping know both of the server's addresses; the four that test filtering have sent to one only.
  expect([...asked.values()].map((addresses) => addresses.size)).toEqual([2, 2, 1, 1, 1, 1]);
});

test("hostile datagrams are counted and dropped, change nothing, and leave nothing in memory", () => {
  const prober = new Prober({ servers: [PRIMARY], localAddress: "192.168.1.10", timeoutMs: 2_200, random: randomBytes });
  const first = prober.handle(0, { type: "tick" });
  const sends = first.flatMap((output) => (output.type === "send" ? [output] : []));
  const runs = Number(process.env.AWL_HOSTILE ?? 20_000);
  const before = heapUsed();
  let reactions = 0;
  for (let i = 0; i < runs; i++) {
    const bytes = i % 2 === 0 ? randomBytes(i % 1_400) : mutate(sends[i % sends.length]?.bytes ?? Buffer.alloc(20), i);
    const outputs = prober.handle(1, { type: "datagram", socket: i % 3, from: { address: "192.0.2.66", port: 1 + (i % 65_535) }, bytes });
    reactions += outputs.filter(({ type }) => type !== "wake").length;
  }
  expect(reactions).toBe(0);
  expect(prober.dropped).toBe(runs);
  expect(heapUsed() - before).toBeLessThan(2 * 1024 * 1024);
});

/** What is still in use after a full collection, bytes. */
function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

/** A request with one byte changed, or cut short: never a response. */
function mutate(bytes: Buffer, i: number): Buffer {
  const copy = Buffer.from(bytes.subarray(0, i % 7 === 0 ? i % bytes.length : bytes.length));
  if (copy.length > 2) copy[2 + (i % (copy.length - 2))] = i & 0xff;
  return copy;
}
