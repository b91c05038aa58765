import { expect, test } from "vitest";
import { meetOnce } from "./population.js";
import { runCell } from "./runs.js";
import { forSeeds } from "./seeds.js";

test("a cell's result says what came of it, how fast, and why not", () => {
  expect(runCell({ connector: "open", listener: "firewall", runs: 5 })).toMatchObject({ outcome: "direct", successes: 5, reasons: [] });
  const { medianMs, ...hopeless } = runCell({ connector: "symmetric", listener: "port-restricted", runs: 2 });
  expect(hopeless).toMatchObject({ outcome: "none", successes: 0, reasons: ["one-symmetric"] });
  expect(medianMs).toBeNaN();
  expect(runCell({ connector: "symmetric-pooled", listener: "address-restricted", runs: 30 })).toMatchObject({
    outcome: "mixed",
    reasons: ["one-symmetric"],
  });
});

test("of the peers that are found in the field, those that can connect do, and the others know why not", () => {
  forSeeds(200, (random, seed) => {
    const networks = ["fixed", "cellular"] as const;
    const { isForeseen, direct, why } = meetOnce({ connector: random.pick(networks), listener: random.pick(networks), seed });
    expect(direct).toBe(isForeseen);
    if (!direct) expect(["one-symmetric", "both-symmetric", "udp-blocked"]).toContain(why);
  });
});
