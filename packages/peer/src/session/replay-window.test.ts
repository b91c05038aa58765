import fc from "fast-check";
import { expect, test } from "vitest";
import { ReplayWindow } from "./replay-window.js";

test("each number is accepted once, in any order within the window", () => {
  const counters = fc.uniqueArray(fc.integer({ min: 0, max: 1023 }), { maxLength: 200 });
  fc.assert(
    fc.property(counters, (order) => {
      const window = new ReplayWindow();
      expect(order.map((counter) => window.accept(counter))).toEqual(order.map(() => true));
      expect(order.map((counter) => window.accept(counter))).toEqual(order.map(() => false));
    }),
  );
});

test("agrees with a set that never forgets, but for numbers too old to know", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 300 }), (order) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let highest = -1;
      for (const counter of order) {
        const expected = !seen.has(counter) && counter > highest - 1024;
        expect(window.accept(counter)).toBe(expected);
        seen.add(counter);
        highest = Math.max(highest, counter);
      }
    }),
  );
});

test("a leap over the whole window forgets nothing that it should know", () => {
  const window = new ReplayWindow();
  expect([window.accept(5), window.accept(1_000_000), window.accept(5), window.accept(999_999), window.accept(1_000_000)]).toEqual([
    true,
    true,
    false,
    true,
    false,
  ]);
});
