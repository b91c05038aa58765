import { expect, test } from "vitest";
import { Timeouts } from "./timeouts.js";

test("things are due in the order in which they were started last", () => {
  const timeouts = new Timeouts<string>(100);
  expect([timeouts.start(0, "a"), timeouts.start(10, "b"), timeouts.start(20, "a")]).toEqual([100, 110, 120]);
  expect([timeouts.due(109), timeouts.next]).toEqual([[], 110]);
  expect([timeouts.due(110), timeouts.next]).toEqual([["b"], 120]);
  timeouts.start(30, "c");
  timeouts.stop("a");
  expect(timeouts.size).toBe(1);
  expect([timeouts.due(1000), timeouts.due(1000), timeouts.next]).toEqual([["c"], [], Number.POSITIVE_INFINITY]);
});
