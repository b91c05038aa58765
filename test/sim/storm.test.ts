import fc from "fast-check";
import { expect, test } from "vitest";
import type { NatKindName } from "../grid/nat-kinds.js";
import { Duo } from "./duo.js";

const STORM_MS = 120_000;
/** The longest wait between tries, a few of them, and what is on its way. */
const CALM_MS = 45_000;

type Trouble =
  | { readonly type: "flush"; readonly side: 0 | 1; readonly at: number }
  | { readonly type: "signal"; readonly at: number; readonly ms: number }
  | { readonly type: "loss"; readonly at: number; readonly ms: number; readonly loss: number };

const WAY = { delayMs: 5 };

const at = fc.nat(STORM_MS);
const trouble = fc.oneof(
  fc.record({ type: fc.constant("flush" as const), side: fc.constantFrom<0 | 1>(0, 1), at }),
  fc.record({ type: fc.constant("signal" as const), at, ms: fc.integer({ min: 1, max: 40_000 }) }),
  fc.record({ type: fc.constant("loss" as const), at, ms: fc.integer({ min: 1, max: 5_000 }), loss: fc.constantFrom(0.3, 0.8, 1) }),
);

function strike(duo: Duo, troubles: readonly Trouble[]): void {
  for (const one of troubles) {
    const begin = (run: () => void, end?: () => void) => {
      duo.clock.later(run, one.at);
      if (end && "ms" in one) duo.clock.later(end, Math.min(STORM_MS, one.at + one.ms));
    };
    if (one.type === "flush") begin(() => duo.sites[one.side].routers.forEach((router) => void router.flush()));
    else if (one.type === "signal")
      begin(
        () => duo.setSignal(false),
        () => duo.setSignal(true),
      );
    else
      begin(
        () => duo.setWay({ ...WAY, loss: one.loss }),
        () => duo.setWay(WAY),
      );
  }
}

/** Who talks: nobody, one side, or both. */
function chat(duo: Duo, talkers: readonly (0 | 1)[], everyMs: number): void {
  for (const side of talkers) duo.sides[side].feed({ type: "ping" });
  duo.clock.later(() => chat(duo, talkers, everyMs), everyMs);
}

test("whatever strikes for two minutes, the session comes back in the calm, both sides agree, and no endpoint is flooded", {
  timeout: 600_000,
}, () => {
  const worlds = fc.record({
    connector: fc.constantFrom<NatKindName>("open", "port-restricted", "masquerade"),
    seed: fc.nat(),
    signalMs: fc.constantFrom(5, 50, 300),
    troubles: fc.array(trouble, { maxLength: 15 }),
    talkers: fc.constantFrom<(0 | 1)[]>([], [0], [1], [0, 1]),
  });
  fc.assert(
    fc.property(worlds, ({ troubles, talkers, ...world }) => {
      const duo = new Duo({ listener: "port-restricted", way: WAY, ...world }).connect();
      chat(duo, talkers, 200);
      strike(duo, troubles);
      duo.clock.runFor(STORM_MS);
      duo.setWay(WAY);
      duo.setSignal(true);
      duo.clock.runFor(CALM_MS);
      const [connector, listener] = duo.sides.map(({ path }) => path?.pair);
      expect(listener?.local.port).toBe(connector?.remote.port);
      expect(connector?.local.port).toBe(listener?.remote.port);
      for (const side of duo.sides) {
        const pongs = () => side.events.filter(({ event }) => event === "pong").length;
        const before = pongs();
        side.feed({ type: "ping" });
        duo.clock.runFor(100);
        expect(pongs()).toBeGreaterThan(before);
        expect(side.busiest).toBeLessThan(100);
      }
    }),
    { numRuns: Number(process.env.AWL_STORMS ?? 30) },
  );
});
