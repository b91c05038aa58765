import fc from "fast-check";
import { expect, test } from "vitest";
import { Link, type LinkOptions } from "./link.test-support.js";
import { Pair } from "./pair.test-support.js";

const STORM_MS = 8_000;

const line: fc.Arbitrary<LinkOptions> = fc.record({
  mbits: fc.constantFrom(0.5, 5, 50),
  delayMs: fc.constantFrom(0.2, 10, 100),
  queue: fc.constantFrom(10_000, 100_000, 1_000_000),
  loss: fc.constantFrom(0, 0.02, 0.3),
  reorder: fc.constantFrom(0, 0.2),
  lateMs: fc.constantFrom(5, 200),
  duplicate: fc.constantFrom(0, 0.1),
  mtu: fc.constantFrom(1_200, 1_400, 9_000),
});

const at = fc.integer({ min: 0, max: STORM_MS });
const trouble = fc.oneof(
  fc.record({ type: fc.constant("path" as const), at, there: line, back: line, told: fc.boolean(), oldIsDead: fc.boolean() }),
  fc.record({ type: fc.constant("outage" as const), at, ms: fc.integer({ min: 10, max: 5_000 }), held: fc.boolean() }),
  fc.record({ type: fc.constant("stream" as const), at, bytes: fc.constantFrom(0, 1, 3_000, 300_000), side: fc.boolean() }),
);
type Trouble = typeof trouble extends fc.Arbitrary<infer T> ? T : never;

function strike(pair: Pair, one: Trouble, expected: Map<number, number>): void {
  const ends = [pair.connector, pair.listener];
  const links = [pair.there, pair.back];
  if (one.type === "stream") {
    const end = one.side ? pair.connector : pair.listener;
    expected.set(end.send(one.bytes).id, one.bytes);
  } else if (one.type === "outage") {
    for (const link of links) link.options.down = true;
    if (one.held) for (const { transport } of ends) transport.losePath();
    pair.clock.at(pair.clock.now + one.ms, () => {
      for (const link of links) link.options.down = false;
      if (one.held) pair.changePath();
    });
  } else {
    if (one.oldIsDead) for (const link of links) link.options.down = true;
    pair.there = new Link(pair.clock, pair.random, one.there);
    pair.back = new Link(pair.clock, pair.random, one.back);
    if (one.told) pair.changePath();
  }
}

test("whatever strikes a connection, in the calm all that was written on either side has arrived, and time does not stand still", {
  timeout: 600_000,
}, () => {
  fc.assert(
    fc.property(fc.nat(), line, line, fc.array(trouble, { maxLength: 12 }), (seed, there, back, troubles) => {
      const pair = new Pair({ seed, there, back });
      pair.connector.answer = pair.listener.answer = 5_000;
      const expected = new Map<number, number>();
      for (const one of troubles) pair.clock.at(one.at, () => strike(pair, one, expected));
      pair.clock.runUntil(STORM_MS + 5_000);
      pair.there = new Link(pair.clock, pair.random, { mbits: 50, delayMs: 10, queue: 250_000 });
      pair.back = new Link(pair.clock, pair.random, { mbits: 50, delayMs: 10, queue: 250_000 });
      pair.changePath();
      pair.clock.runUntil(STORM_MS + 25_000);
      for (const [id, bytes] of expected) {
        const [writer, reader] = id % 4 === 0 ? [pair.connector, pair.listener] : [pair.listener, pair.connector];
        expect(reader.read.get(id) ?? 0).toBe(bytes);
        expect(writer.read.get(id)).toBe(5_000);
        for (const end of [writer, reader]) expect([end.ended.has(id), end.finished.has(id)]).toEqual([true, true]);
      }
      for (const end of [pair.connector, pair.listener]) {
        expect(end.closed).toBeUndefined();
        expect(end.transport.stats.bytesInFlight).toBe(0);
        // Nothing is owed to anybody.
        expect(end.transport.deadline).toBe(Number.POSITIVE_INFINITY);
      }
    }),
    { numRuns: Number(process.env.AWL_STORMS ?? 30) },
  );
});
