import { expect, test } from "vitest";
import { type BudgetHolder, SendBudget } from "./send-budget.js";

class Holder implements BudgetHolder {
  held = 0;
  woken = 0;

  take(budget: SendBudget, wanted: number): number {
    const granted = budget.take(this, wanted);
    this.held += granted;
    return granted;
  }

  give(budget: SendBudget, bytes: number): void {
    this.held -= bytes;
    budget.give(this, bytes);
  }

  roomAgain(): void {
    this.woken += 1;
  }
}

test("a stream is bounded, all are, and none is left out", () => {
  const budget = new SendBudget(200_000, 300_000);
  const [a, b, c] = [new Holder(), new Holder(), new Holder()];
  expect(a.take(budget, 250_000)).toBe(200_000);
  expect(b.take(budget, 250_000)).toBe(100_000);
  expect(c.take(budget, 250_000)).toBe(65_536);
  expect(c.take(budget, 1)).toBe(0);
});

test("who got less than it wanted is woken once there is room, and once", () => {
  const budget = new SendBudget(200_000, 300_000);
  const [a, b] = [new Holder(), new Holder()];
  a.take(budget, 250_000);
  b.take(budget, 50_000);
  a.give(budget, 10_000);
  expect([a.woken, b.woken]).toEqual([0, 0]);
  a.give(budget, 40_000);
  expect([a.woken, b.woken]).toEqual([1, 0]);
  a.give(budget, 50_000);
  expect(a.woken).toBe(1);
});
