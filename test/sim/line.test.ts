import { expect, test } from "vitest";
import { Clock } from "./clock.js";
import { Line, type LineConditions, PERFECT } from "./line.js";
import { Random } from "./random.js";

const PACKETS = 10_000;

/** A packet a millisecond: when each arrived, in order of arrival. */
function carry(conditions: Partial<LineConditions>): { number: number; tookMs: number }[] {
  const clock = new Clock();
  const line = new Line(clock, new Random(7), { ...PERFECT, ...conditions });
  const arrived: { number: number; tookMs: number }[] = [];
  for (let number = 0; number < PACKETS; number++)
    clock.at(number, () => line.carry(() => void arrived.push({ number, tookMs: clock.now - number })));
  clock.runFor(PACKETS + 1_000);
  return arrived;
}

const isInOrder = (arrived: readonly { number: number }[]) =>
  arrived.every(({ number }, i) => i === 0 || number >= (arrived[i - 1]?.number ?? 0));

test("delay is what it says", () => {
  expect(carry({ delayMs: 25 })).toEqual(Array.from({ length: PACKETS }, (_, number) => ({ number, tookMs: 25 })));
});

test("jitter adds up to so much, and reorders nothing", () => {
  const arrived = carry({ delayMs: 10, jitterMs: 20 });
  expect(isInOrder(arrived)).toBe(true);
  for (const { tookMs } of arrived) expect(tookMs).toBeGreaterThanOrEqual(10);
  expect(Math.max(...arrived.map(({ tookMs }) => tookMs))).toBeLessThan(30.001);
});

test("loss, duplication and reordering come as often as they say", () => {
  expect(carry({ loss: 0.2 }).length / PACKETS).toBeCloseTo(0.8, 1);
  expect(carry({ duplication: 0.1 }).length / PACKETS).toBeCloseTo(1.1, 1);
  const reordered = carry({ reordering: 0.1 });
  expect(isInOrder(reordered)).toBe(false);
  expect(reordered.filter(({ tookMs }) => tookMs > 0).length / PACKETS).toBeCloseTo(0.1, 1);
});
