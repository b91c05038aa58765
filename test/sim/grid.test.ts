/** Every cell of the grid in the simulator: what is to connect does, and what is not fails for its stated reason. */
import { describe, expect, test } from "vitest";
import { NAT_KIND_NAMES } from "../grid/nat-kinds.js";
import { expectationOf } from "../grid.js";
import { attempt } from "./attempt.js";
import { forSeeds } from "./seeds.js";

/** How much later the connector begins, in turn: who is first at whose router decides much. */
const SKEWS_MS = [0, 30, 500, 2_000];

describe.each(NAT_KIND_NAMES)("from behind %s", (connector) => {
  test.each(NAT_KIND_NAMES)("to %s", (listener) => {
    const expected = expectationOf([connector, listener]);
    forSeeds(SKEWS_MS.length, (_random, seed) => {
      const { outcome, why } = attempt([connector, listener], { seed, skewMs: SKEWS_MS[seed % SKEWS_MS.length] ?? 0 });
      if (outcome === "direct") expect(expected.outcome).not.toBe("none");
      else expect({ outcome, why }).toEqual({ outcome: "none", why: expected.outcome === "direct" ? "nothing" : expected.reason });
    });
  });
});
