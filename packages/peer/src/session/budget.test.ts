import fc from "fast-check";
import { expect, test } from "vitest";
import { Budget } from "./budget.js";

test("so many at once, then one an interval", () => {
  const budget = new Budget(3, 100);
  expect([1, 2, 3, 4].map(() => budget.take(1_000))).toEqual([true, true, true, false]);
  expect(budget.nextAt).toBe(1_100);
  expect(budget.take(1_099)).toBe(false);
  expect(budget.take(1_100)).toBe(true);
  expect(budget.take(1_101)).toBe(false);
});

test("never more than the capacity and the intervals allow, and whoever waits until it says gets one", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { minLength: 1 }), (waits) => {
      const budget = new Budget(4, 100);
      let now = 0;
      let taken = 0;
      for (const wait of waits) {
        now += wait;
        if (budget.take(now)) taken += 1;
        else {
          expect(budget.nextAt).toBeGreaterThan(now);
          now = budget.nextAt;
          expect(budget.take(now)).toBe(true);
          taken += 1;
        }
        expect(taken).toBeLessThanOrEqual(4 + now / 100);
      }
    }),
  );
});
