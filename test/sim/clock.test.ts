import { expect, test } from "vitest";
import { Alarm } from "./alarm.js";
import { Clock } from "./clock.js";
import { Random } from "./random.js";

test("things happen in order of time, and at one time in the order in which they were said", () => {
  const clock = new Clock();
  const random = new Random(3);
  const said = Array.from({ length: 5_000 }, (_, order) => ({ at: random.below(500), order }));
  const happened: typeof said = [];
  for (const one of said) clock.at(one.at, () => void happened.push(one));
  clock.runFor(1_000);
  expect(happened).toEqual([...said].sort((a, b) => a.at - b.at || a.order - b.order));
  expect({ now: clock.now, size: clock.size }).toEqual({ now: 1_000, size: 0 });
});

test("time stops where one says so, and what is later waits", () => {
  const clock = new Clock();
  let rung = 0;
  for (const at of [10, 20, 30]) clock.at(at, () => void rung++);
  clock.runFor(100, () => rung === 2);
  expect([clock.now, rung]).toEqual([20, 2]);
  clock.runFor(5);
  expect([clock.now, rung]).toEqual([25, 2]);
});

test("a deadline that spins is found out", () => {
  const clock = new Clock();
  const spin = () => clock.later(spin);
  spin();
  expect(() => clock.runFor(1)).toThrow("time stands still");
});

test("an alarm rings at the time it was last set to, and however often it is set costs the clock little", () => {
  const clock = new Clock();
  const rung: number[] = [];
  const alarm = new Alarm(clock, () => void rung.push(clock.now));
  for (let at = 500; at < 1_000; at++) alarm.set(at);
  expect(clock.size).toBe(1);
  clock.runFor(2_000);
  expect(rung).toEqual([999]);
  alarm.set(3_000);
  alarm.set(2_500);
  alarm.set(Number.POSITIVE_INFINITY);
  clock.runFor(2_000);
  expect(rung).toEqual([999]);
  alarm.set(4_500);
  clock.runFor(1_000);
  expect(rung).toEqual([999, 4_500]);
  expect(() => alarm.set(clock.now)).toThrow("a deadline in the past");
});
