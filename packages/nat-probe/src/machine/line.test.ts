import { expect, test } from "vitest";
import { Line } from "./line.js";

test("a fast line waits no less than 50 ms, an unknown one a second", () => {
  const line = new Line();
  expect(line.rtoMs).toBe(1_000);
  line.answered(1, 2);
  expect(line.rtoMs).toBe(50);
});

test("a slow line waits for its round trip and the variation of it", () => {
  const line = new Line();
  line.answered(1, 200);
  expect(line.rtoMs).toBe(600);
  for (let i = 0; i < 50; i++) line.answered(1, 200);
  expect(line.rtoMs).toBeCloseTo(200, 0);
});

test("a round trip measured across a retransmission is used until there is a better one", () => {
  const line = new Line();
  line.answered(3, 400);
  expect(line.rtoMs).toBe(1_000);
  line.answered(1, 30);
  expect(line.rtoMs).toBe(90);
  line.answered(4, 900);
  expect(line.rtoMs).toBe(90);
});

test("the more is lost, the more silence it takes; and at some loss none suffices", () => {
  const line = new Line();
  for (let i = 0; i < 20; i++) line.answered(1, 2);
  expect(line.sendsToBelieve).toBe(4);
  expect(line.tooLossy).toBe(false);
  for (let i = 0; i < 5; i++) line.answered(2, 60);
  const atTenPercent = line.sendsToBelieve;
  expect(atTenPercent).toBeGreaterThan(4);
  for (let i = 0; i < 20; i++) line.answered(3, 160);
  expect(line.sendsToBelieve).toBe(10);
  expect(line.tooLossy).toBe(true);
});
