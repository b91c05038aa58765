import { expect, test } from "vitest";
import { Pacer } from "./pacer.js";

/** What leaves within a time when there is always something to send. */
function sentWithin(pacer: Pacer, from: number, ms: number, rate: number): number {
  let sent = 0;
  for (let now = from; now < from + ms; now = Math.max(pacer.readyAt(rate), now + 1e-6)) {
    while (pacer.isReady(now, rate)) {
      pacer.sent(1_200);
      sent += 1_200;
    }
  }
  return sent;
}

test.each([12.5, 1_250, 125_000])("%d bytes a millisecond come out as that, after one burst", (rate) => {
  const pacer = new Pacer(0);
  sentWithin(pacer, 0, 100, rate);
  const sent = sentWithin(pacer, 100, 10_000, rate);
  expect(sent / 10_000 / rate).toBeGreaterThan(0.97);
  expect(sent / 10_000 / rate).toBeLessThan(1.03);
});

test("a pause earns no more than a burst", () => {
  const pacer = new Pacer(0);
  sentWithin(pacer, 0, 100, 1_250);
  let burst = 0;
  for (; pacer.isReady(60_000, 1_250); burst += 1_200) pacer.sent(1_200);
  expect(burst).toBeLessThanOrEqual(13_200);
});
