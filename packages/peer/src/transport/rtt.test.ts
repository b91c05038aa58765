import { expect, test } from "vitest";
import { RttEstimator } from "./rtt.js";

test("RFC 9002 section 5.3: the first sample, then the moving averages", () => {
  const rtt = new RttEstimator();
  expect(rtt.hasSample).toBe(false);
  expect(rtt.patience).toBe(333 + 4 * 166.5);
  rtt.sample(0, 100, 20);
  expect([rtt.smoothed, rtt.min, rtt.patience]).toEqual([100, 100, 100 + 4 * 50]);
  rtt.sample(1, 140, 10);
  expect(rtt.smoothed).toBe(0.875 * 100 + 0.125 * 130);
  expect(rtt.patience).toBe(rtt.smoothed + 4 * (0.75 * 50 + 0.25 * 30));
});

test("section 5.3: an acknowledgement delay that would make it shorter than the minimum is not believed", () => {
  const rtt = new RttEstimator();
  rtt.sample(0, 100, 0);
  rtt.sample(1, 110, 25);
  expect(rtt.smoothed).toBe(0.875 * 100 + 0.125 * 110);
});

test("what somebody else measured serves until there is a sample", () => {
  const rtt = new RttEstimator(20);
  expect(rtt.smoothed).toBe(20);
  rtt.sample(0, 80, 0);
  expect(rtt.smoothed).toBe(80);
});
