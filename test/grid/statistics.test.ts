import { expect, test } from "vitest";
import { quantile, wilson } from "./statistics.js";

test("quantiles", () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect([quantile(0, values), quantile(0.5, values), quantile(0.95, values), quantile(1, values)]).toEqual([1, 51, 96, 100]);
  expect(quantile(0.5, [])).toBeNaN();
});

// Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])("Wilson's interval of %i of %i", (successes, runs, low, high) => {
  const interval = wilson(successes, runs);
  expect(interval.low).toBeCloseTo(low, 4);
  expect(interval.high).toBeCloseTo(high, 4);
});
