import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Duo } from "./duo.test-support.js";
import type { NatBox } from "./network.test-support.js";

const EI = "endpoint-independent";
const APD = "address-and-port-dependent";
const PORT: NatBox = { mapping: EI, filtering: APD };
const MASQUERADE: NatBox = { mapping: EI, filtering: APD, preserving: true, inboundFirstRemaps: true };

test("hosts in one LAN use it, even where the NAT hairpins", () => {
  for (let seed = 0; seed < 20; seed++) {
    const pair = new Duo({ listener: [{ ...PORT, hairpin: true }], connector: [PORT], shared: true, seed });
    const { listener, connector } = pair.connect();
    expect(connector).toMatchObject({ strategy: "lan", pair: { local: { type: "host" }, remote: { type: "host" } } });
    expect(listener).toMatchObject({ strategy: "lan" });
    expect(pair.connector.events.filter(({ event }) => event === "path")).toHaveLength(1);
  }
});

test("two homes behind one carrier with hairpin meet there", () => {
  const carrier = { ...PORT, filtering: EI, hairpin: true } as const;
  const { connector } = new Duo({ listener: [carrier, PORT], connector: [carrier, PORT], shared: true }).connect();
  expect(connector).toMatchObject({ kind: "direct", strategy: "hairpin" });
});

test("both sides agree on the pair", () => {
  const { listener, connector } = new Duo({ listener: [PORT], connector: [MASQUERADE] }).connect();
  expect(listener?.pair.local).toMatchObject({ address: connector?.pair.remote.address, port: connector?.pair.remote.port });
  expect(connector?.pair.local).toMatchObject({ address: listener?.pair.remote.address, port: listener?.pair.remote.port });
});

test("cone pairs are through in a few round trips of line and signalling", () => {
  const { connector } = new Duo({ listener: [PORT], connector: [PORT], delayMs: 20, signalMs: 30 }).connect();
  expect(connector?.punchMs).toBeLessThanOrEqual(2 * 30 + 4 * 20 + 20);
});

test("a mapping that lives 20 s outlives two idle minutes, at few packets", () => {
  const box = { ...PORT, lifetimeMs: 20_000 };
  const pair = new Duo({ listener: [box], connector: [box] });
  pair.connect();
  const before = pair.connector.sent;
  pair.clock.runFor(120_000);
  for (const { events } of pair.sides) expect(events.map(({ event }) => event)).not.toContain("lost");
  expect(pair.connector.sent - before).toBeLessThan(25);
  pair.connector.feed({ type: "ping" });
  pair.clock.runFor(100);
  expect(pair.connector.events.at(-1)).toMatchObject({ event: "pong", seq: 0, rttMs: 10 });
});

test.each([
  ["port", PORT],
  ["masquerade", MASQUERADE],
])("routers (%s) that forget everything under traffic: healed within 3 s", (_name, box) => {
  for (let seed = 0; seed < 20; seed++) {
    const pair = new Duo({ listener: [box], connector: [box], seed });
    pair.connect();
    for (const { routers } of pair.sides) for (const router of routers) router.flush();
    const lostAt = pair.clock.now;
    const traffic = () => {
      pair.connector.feed({ type: "ping" });
      if (pair.clock.now < lostAt + 3_000) pair.clock.later(traffic, 100);
    };
    traffic();
    pair.clock.runFor(3_000);
    const pongs = pair.connector.events.filter(({ event }) => event === "pong").length;
    pair.connector.feed({ type: "ping" });
    pair.clock.runFor(200);
    expect(pair.connector.events.filter(({ event }) => event === "pong").length, `seed ${seed}`).toBeGreaterThan(pongs);
  }
});

test("a path outlives the rendezvous, and is found again once that is back", () => {
  const pair = new Duo({ listener: [PORT], connector: [PORT] });
  pair.connect();
  pair.setSignal(false);
  pair.clock.runFor(60_000);
  expect(pair.connector.path).toBeDefined();
  for (const { routers } of pair.sides) for (const router of routers) router.flush();
  pair.connector.feed({ type: "ping" });
  pair.clock.runFor(20_000);
  pair.setSignal(true);
  pair.clock.runFor(3_000);
  expect(pair.connector.path).toBeDefined();
  expect(pair.listener.path).toBeDefined();
});

test("a goodbye reaches the other side, over the path if need be", () => {
  const pair = new Duo({ listener: [PORT], connector: [PORT] });
  pair.connect();
  pair.setSignal(false);
  pair.connector.feed({ type: "close", code: "done", text: "that was all" });
  pair.clock.runFor(100);
  expect(pair.listener.closed).toEqual({ event: "closed", code: "done", text: "that was all" });
  expect(pair.connector.session.handle(pair.clock.now, { type: "tick" })).toEqual([]);
});

test("for any seed, up to 20 % loss and 300 ms round trip, a pair that can connect does", () => {
  const boxes = fc.constantFrom<NatBox[]>([], [PORT], [MASQUERADE], [{ mapping: EI, filtering: EI }], [PORT, PORT]);
  const worlds = fc.record({
    listener: boxes,
    connector: boxes,
    seed: fc.nat(),
    delayMs: fc.integer({ min: 0, max: 150 }),
    signalMs: fc.integer({ min: 0, max: 300 }),
    loss: fc.double({ min: 0, max: 0.2, noNaN: true }),
    skewMs: fc.integer({ min: 0, max: 2_000 }),
  });
  fc.assert(
    fc.property(worlds, (world) => {
      const { listener, connector } = new Duo(world).connect(30_000);
      expect(listener?.pair.local.port).toBe(connector?.pair.remote.port);
      expect(connector?.pair.local.port).toBe(listener?.pair.remote.port);
    }),
    { numRuns: 500 },
  );
});

test("foreign, mutated and replayed datagrams change nothing", () => {
  const pair = new Duo({ listener: [PORT], connector: [PORT] });
  pair.connect();
  const { session } = pair.listener;
  const runs = Number(process.env.AWL_HOSTILE ?? 20_000);
  for (let i = 0; i < runs; i++) {
    const bytes = randomBytes(20 + (i % 200));
    if (i % 3 === 0) bytes[0] = 0x80;
    if (i % 3 === 1) bytes.set([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42], 0);
    const outputs = session.handle(pair.clock.now, {
      type: "datagram",
      socket: 0,
      from: { address: "192.0.2.66", port: 1 + (i % 60_000) },
      bytes,
    });
    expect(outputs.filter(({ type }) => type !== "wake")).toEqual([]);
  }
  const refused = Object.values(session.counters).reduce((sum, count) => sum + count);
  expect(refused).toBeGreaterThanOrEqual(runs);
});

test("a hostile peer cannot aim us at ourselves, at loopback, or at more than 16 endpoints", () => {
  const pair = new Duo({ listener: [PORT], connector: [PORT] });
  pair.clock.runFor(12);
  const hostile = [
    { type: "host", address: "127.0.0.1", port: 80 },
    { type: "host", address: "::ffff:127.0.0.1", port: 80 },
    { type: "host", address: "192.168.1.10", port: 22 },
    { type: "host", address: "224.0.0.1", port: 5353 },
    { type: "host", address: "255.255.255.255", port: 67 },
    { type: "host", address: "169.254.169.254", port: 80 },
    ...Array.from({ length: 50 }, (_, i) => ({ type: "server-reflexive", address: `192.0.2.${i + 1}`, port: 53 })),
  ];
  const message = { type: "candidates", try: 0, candidates: hostile };
  const sends: string[] = [];
  let at = pair.clock.now;
  pair.listener.session.handle(at, { type: "opened", socket: 0, hosts: [{ address: "192.168.1.10", port: 40_000 }] });
  for (const bytes of [
    { seq: 0, ack: 0, message },
    { seq: 1, ack: 0, message: { type: "opened", try: 0 } },
  ]) {
    pair.listener.session.handle(at, { type: "control", bytes: Buffer.from(JSON.stringify(bytes)) });
  }
  for (; at < 5_000; at += 10) {
    for (const output of pair.listener.session.handle(at, { type: "tick" })) if (output.type === "send") sends.push(output.to.address);
  }
  const targets = new Set(sends);
  targets.delete("203.0.113.1");
  expect(targets.size).toBeLessThanOrEqual(16);
  expect(targets.size).toBeGreaterThan(0);
  expect([...targets].every((address) => address.startsWith("192.0.2."))).toBe(true);
  expect(sends.length).toBeLessThan(16 * 30);
});
