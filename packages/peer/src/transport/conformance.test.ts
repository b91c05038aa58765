/** Streams over every kind of bad line, in virtual time; what arrives is compared byte by byte. */
import { describe, expect, test } from "vitest";
import { randomFrom } from "../random.test-support.js";
import { CubicFlow } from "./cubic.test-support.js";
import { Link, type LinkOptions } from "./link.test-support.js";
import { Pair } from "./pair.test-support.js";
import { VirtualClock } from "./virtual-clock.test-support.js";

/** AWL_TRANSPORT=10: ten seeds instead of one. */
const SEEDS = Array.from({ length: Number(process.env.AWL_TRANSPORT ?? 1) }, (_, i) => i + 1);

const LINE: LinkOptions = { mbits: 50, delayMs: 20, queue: 250_000 };
/** Megabytes a second that this line carries. */
const LINE_RATE = 6.25;

describe.each(SEEDS)("seed %i", (seed) => {
  /** `share`: what of the line's rate must be reached at least. */
  const lossy: [name: string, there: LinkOptions, back: LinkOptions, share: number][] = [
    ["no loss", {}, {}, 0.8],
    ...[0.01, 0.05, 0.1, 0.2, 0.3].map(
      (loss) =>
        [`${100 * loss} % loss both ways`, { loss }, { loss }, 0.9 * (1 - loss) ** 3 - 0.1] as [string, LinkOptions, LinkOptions, number],
    ),
    ["bursts of loss", { burst: { enter: 0.005, leave: 0.2 } }, {}, 0.5],
    ["long bursts of loss", { burst: { enter: 0.001, leave: 0.02 } }, {}, 0.25],
    ["half of the acknowledgements lost", {}, { loss: 0.5 }, 0.55],
    ["reordering", { reorder: 0.1, lateMs: 30 }, {}, 0.7],
    ["reordering both ways, and loss", { reorder: 0.3, lateMs: 20, loss: 0.02 }, { reorder: 0.3, lateMs: 20 }, 0.4],
    ["duplication", { duplicate: 0.2 }, { duplicate: 0.2 }, 0.7],
    [
      "everything at once",
      { loss: 0.05, reorder: 0.1, lateMs: 40, duplicate: 0.1, burst: { enter: 0.002, leave: 0.2 } },
      { loss: 0.05 },
      0.2,
    ],
    ["a slow way back", {}, { mbits: 0.2, queue: 10_000 }, 0.6],
    ["a short queue", { queue: 30_000 }, {}, 0.5],
  ];

  test.each(lossy)("%s", (_, there, back, share) => {
    const pair = new Pair({ seed, there: { ...LINE, ...there }, back: { delayMs: 20, ...back } });
    const ms = pair.transfer(15_000_000);
    expect(15_000 / ms / LINE_RATE).toBeGreaterThan(share);
  });

  test("round trips from 1 to 300 ms and back", () => {
    const pair = new Pair({ seed, there: { mbits: 50, delayMs: 0.5, queue: 250_000 }, back: { delayMs: 0.5 } });
    const setDelay = (delayMs: number) => {
      for (const link of [pair.there, pair.back]) link.options.delayMs = delayMs;
    };
    pair.connector.send(2 ** 40);
    pair.clock.runUntil(5_000);
    setDelay(150);
    pair.clock.runUntil(15_000);
    expect(pair.deliveredWithin(10_000) / 1e7).toBeGreaterThan(0.7 * LINE_RATE);
    setDelay(0.5);
    pair.clock.runUntil(pair.clock.now + 5_000);
    expect(pair.deliveredWithin(5_000) / 5e6).toBeGreaterThan(0.8 * LINE_RATE);
  });

  test("rates from 100 to 1 Mbit/s and back", () => {
    const pair = new Pair({ seed, there: { mbits: 100, delayMs: 20, queue: 250_000 }, back: { delayMs: 20 } });
    pair.connector.send(2 ** 40);
    pair.clock.runUntil(3_000);
    pair.there.options.mbits = 1;
    pair.clock.runUntil(20_000);
    pair.there.waits.length = 0;
    expect(pair.deliveredWithin(20_000) / 2e7).toBeGreaterThan(0.7 * 0.125);
    pair.there.options.mbits = 100;
    pair.clock.runUntil(pair.clock.now + 20_000);
    expect(pair.deliveredWithin(5_000) / 5e6).toBeGreaterThan(0.8 * 12.5);
  });

  test("an outage of 30 s: goes on within a second of the return, without a storm", () => {
    const pair = new Pair({ seed, there: { ...LINE }, back: { delayMs: 20 } });
    pair.connector.send(2 ** 40);
    pair.clock.runUntil(3_000);
    pair.there.options.down = pair.back.options.down = true;
    pair.clock.runUntil(4_000);
    const before = pair.there.sentBytes;
    pair.clock.runUntil(33_000);
    expect(pair.there.sentBytes - before).toBeLessThan(200_000);
    pair.there.options.down = pair.back.options.down = false;
    const delivered = pair.listener.received;
    pair.clock.runUntil(34_300);
    expect(pair.listener.received).toBeGreaterThan(delivered);
    expect(pair.deliveredWithin(5_000) / 5e6).toBeGreaterThan(0.7 * LINE_RATE);
  });

  test("goals: 100 Mbit/s, 40 ms, 1 %: 10.5 MB/s; 20 Mbit/s, 100 ms, 0.5 %: 2.2 MB/s", () => {
    const measure = (mbits: number, rtt: number, loss: number, bytes: number) => {
      const there = { mbits, delayMs: rtt / 2, queue: 500_000, loss };
      const pair = new Pair({ seed, there, back: { delayMs: rtt / 2, loss }, path: { rttMs: rtt } });
      return bytes / pair.transfer(bytes) / 1_000;
    };
    expect(measure(100, 40, 0.01, 1e8)).toBeGreaterThan(10.5);
    expect(measure(20, 100, 0.005, 4e7)).toBeGreaterThan(2.2);
  });

  test("goals: start-up on a clean line resends less than 5 %, and then the queue stays below 60 ms", () => {
    for (const [mbits, rtt, queue] of [
      [100, 40, 64_000],
      [20, 100, 500_000],
    ] as const) {
      const pair = new Pair({ seed, there: { mbits, delayMs: rtt / 2, queue }, path: { rttMs: rtt } });
      pair.connector.send(2 ** 40);
      pair.clock.runUntil(5_000);
      const { bytesLost, bytesSent } = pair.connector.transport.stats;
      expect(bytesLost / bytesSent).toBeLessThan(0.05);
      pair.there.waits.length = 0;
      pair.clock.runUntil(15_000);
      expect(Math.max(...pair.there.waits)).toBeLessThan(60);
    }
  });

  describe("on one line of 20 Mbit/s and 40 ms", () => {
    const shared = (queue: number) => {
      const clock = new VirtualClock();
      const random = randomFrom(seed);
      const line = new Link(clock, random, { mbits: 20, delayMs: 20, queue });
      const begin = (which: number) => {
        const pair = new Pair({ clock, line, seed: 100 * which + seed, path: { rttMs: 40 } });
        pair.connector.send(2 ** 40);
        return pair;
      };
      return { clock, line, random, begin };
    };
    const share = (ours: number, theirs: number) => ours / (ours + theirs);

    test.each([100_000, 200_000])("two of us share it within 40/60; queue of %i bytes", (queue) => {
      const { clock, begin } = shared(queue);
      const [a, b] = [begin(1), begin(2)];
      clock.runUntil(5_000);
      const before = a.listener.received;
      const theirs = b.deliveredWithin(20_000);
      expect(share(a.listener.received - before, theirs)).toBeGreaterThan(0.4);
      expect(share(a.listener.received - before, theirs)).toBeLessThan(0.6);
    });

    test("who comes later gets at least a fifth", () => {
      const { clock, begin } = shared(200_000);
      const a = begin(1);
      clock.runUntil(3_000);
      const b = begin(2);
      clock.runUntil(8_000);
      const before = a.listener.received;
      const theirs = b.deliveredWithin(20_000);
      expect(share(theirs, a.listener.received - before)).toBeGreaterThan(0.2);
    });

    test.each([100_000, 200_000])("beside CUBIC neither gets less than a quarter, in the mean of three; queue of %i bytes", (queue) => {
      const shares = [1, 2, 3].map((which) => {
        const { clock, line, random, begin } = shared(queue);
        const cubic = new CubicFlow(clock, line, new Link(clock, random, { delayMs: 20 }));
        const pair = begin(which);
        clock.runUntil(10_000);
        const before = cubic.delivered;
        const ours = pair.deliveredWithin(30_000);
        return share(ours, cubic.delivered - before);
      });
      const mean = shares.reduce((sum, one) => sum + one / 3, 0);
      expect(mean).toBeGreaterThan(0.25);
      expect(mean).toBeLessThan(0.75);
    });
  });
});
