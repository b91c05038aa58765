/** A session, in the middle of its life, against whoever has or has not its keys. It takes the machine's own tools to lie well. */
import { randomBytes } from "node:crypto";
import type { SessionInput } from "@awl/peer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Checks } from "../../packages/peer/src/session/check.js";
import { SealedChannel } from "../../packages/peer/src/session/sealed.js";
import { Duo, keysOf } from "./duo.js";

const PAIR = { connector: "port-restricted", listener: "port-restricted" } as const;
const AIMS = [
  "127.0.0.1",
  "::1",
  "192.168.1.10",
  "224.0.0.1",
  "255.255.255.255",
  "169.254.169.254",
  "192.0.2.1",
  "192.168.1.20",
  "10.9.9.9",
];

/** Both know their candidates, and have not heard of each other's. */
function gathered(): Duo {
  const duo = new Duo({ ...PAIR, signalMs: 10_000 });
  duo.clock.runFor(12);
  return duo;
}

const endpoint = fc.record({ address: fc.constantFrom(...AIMS), port: fc.constantFrom(1, 53, 50_000) });
const said = fc.oneof(
  fc.record({
    type: fc.constant("candidates"),
    try: fc.oneof(fc.nat(8), fc.nat(2_000_000)),
    candidates: fc.array(endpoint.map((aim) => ({ type: "host", ...aim }))),
  }),
  fc.record({ type: fc.constant("opened"), try: fc.nat(8) }),
  fc.record({
    type: fc.constant("nat"),
    nat: fc.constant({ type: "__proto__", mapping: "", filtering: "constructor", confidence: "\u001b[31m" }),
  }),
  fc.jsonValue(),
);
const deed = fc.oneof(
  fc.record({ type: fc.constant("control" as const), message: said, ack: fc.nat(100), repeats: fc.boolean(), sealed: fc.boolean() }),
  fc.record({ type: fc.constant("check" as const), from: endpoint, nominates: fc.boolean(), socket: fc.nat(4) }),
  fc.record({
    type: fc.constant("sealed" as const),
    from: endpoint,
    kind: fc.nat(255),
    payload: fc.uint8Array({ maxLength: 40 }),
    socket: fc.nat(4),
  }),
  fc.record({ type: fc.constant("wait" as const), ms: fc.nat(3_000) }),
);

test("a holder of the ticket who says and sends anything in any order aims us at nobody it must not, and breaks nothing", () => {
  fc.assert(
    fc.property(fc.array(deed, { minLength: 20, maxLength: 80 }), fc.boolean(), (deeds, connected) => {
      const duo = connected ? new Duo(PAIR).connect() : gathered();
      // From here on it is somebody else who has the connector's keys, on the same line.
      const keys = keysOf("connector");
      const checks = new Checks("connector", keys.checks);
      const sealed = new SealedChannel(keys.datagrams);
      for (let i = 0; i < 2_000; i++) checks.request(Buffer.alloc(12), false);
      for (let i = 0; i < 2_000; i++) sealed.seal(0, Buffer.alloc(0));
      const { session } = duo.listener;
      let now = duo.clock.now;
      let seq = 0;
      let closed = false;
      const feed = (input: SessionInput) => {
        for (const output of session.handle(now, input)) {
          expect(closed).toBe(false);
          if (output.type === "wake") expect(output.at).toBeGreaterThan(now);
          if (output.type === "event" && output.event.event === "closed") closed = true;
          if (output.type === "open")
            session.handle(now, { type: "opened", socket: output.socket, hosts: [{ address: "192.168.1.10", port: 1 }] });
          if (output.type === "send") expect(AIMS.slice(0, 6)).not.toContain(output.to.address);
        }
      };
      for (const one of deeds) {
        if (one.type === "wait") {
          for (let i = 0; i < 20; i++) {
            now += one.ms / 20;
            feed({ type: "tick" });
          }
        } else if (one.type === "control") {
          const bytes = Buffer.from(JSON.stringify({ seq, ack: one.ack, message: one.message }));
          if (!one.repeats) seq += 1;
          if (!one.sealed) feed({ type: "control", bytes });
          else feed({ type: "datagram", socket: 0, from: { address: "192.0.2.1", port: 1 }, bytes: sealed.seal(1, bytes) });
        } else if (one.type === "check") {
          const bytes = checks.request(Buffer.alloc(12, now & 255), one.nominates);
          feed({ type: "datagram", socket: one.socket, from: one.from, bytes });
        } else {
          feed({ type: "datagram", socket: one.socket, from: one.from, bytes: sealed.seal(one.kind as 0, one.payload) });
        }
      }
    }),
    { numRuns: 100 },
  );
});

test("foreign, mutated and replayed datagrams change nothing", () => {
  const pair = new Duo(PAIR).connect();
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
  const pair = gathered();
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
