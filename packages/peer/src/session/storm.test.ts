import fc from "fast-check";
import { expect, test } from "vitest";
import { Duo, type DuoOptions } from "./duo.test-support.js";
import type { NatBox } from "./network.test-support.js";

const EI = "endpoint-independent";
const APD = "address-and-port-dependent";
const PORT: NatBox = { mapping: EI, filtering: APD };
const MASQUERADE: NatBox = { mapping: EI, filtering: APD, preserving: true, inboundFirstRemaps: true };

const STORM_MS = 120_000;
/** The longest wait between tries, a few of them, and what is on its way. */
const CALM_MS = 45_000;

type Trouble =
  | { readonly type: "flush"; readonly side: 0 | 1; readonly at: number }
  | { readonly type: "signal"; readonly at: number; readonly ms: number }
  | { readonly type: "loss"; readonly at: number; readonly ms: number; readonly loss: number };

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
    if (one.type === "flush") begin(() => duo.sides[one.side]?.routers.forEach((router) => void router.flush()));
    else if (one.type === "signal")
      begin(
        () => duo.setSignal(false),
        () => duo.setSignal(true),
      );
    else
      begin(
        () => (duo.internet.loss = one.loss),
        () => (duo.internet.loss = 0),
      );
  }
}

/** Who talks: nobody, one side, or both. */
function chat(duo: Duo, talkers: readonly number[], everyMs: number): void {
  for (const side of talkers) duo.sides[side]?.feed({ type: "ping" });
  duo.clock.later(() => chat(duo, talkers, everyMs), everyMs);
}

function expectAgreement(duo: Duo): void {
  const { listener, connector } = duo;
  expect(listener.path?.pair.local.port).toBe(connector.path?.pair.remote.port);
  expect(connector.path?.pair.local.port).toBe(listener.path?.pair.remote.port);
}

test("whatever strikes for two minutes, the session comes back in the calm, both sides agree, and no endpoint is flooded", {
  timeout: 600_000,
}, () => {
  const worlds = fc.record({
    box: fc.constantFrom<NatBox[]>([], [PORT], [MASQUERADE]),
    seed: fc.nat(),
    signalMs: fc.constantFrom(5, 50, 300),
    troubles: fc.array(trouble, { maxLength: 15 }),
    talkers: fc.constantFrom<number[]>([], [0], [1], [0, 1]),
  });
  fc.assert(
    fc.property(worlds, ({ box, seed, signalMs, troubles, talkers }) => {
      const options: DuoOptions = { listener: [PORT], connector: box, seed, signalMs };
      const duo = new Duo(options);
      duo.connect();
      chat(duo, talkers, 200);
      strike(duo, troubles);
      duo.clock.runFor(STORM_MS);
      duo.internet.loss = 0;
      duo.setSignal(true);
      duo.clock.runFor(CALM_MS);
      expectAgreement(duo);
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

test("a session whose STUN server is dead still finds the LAN", () => {
  const duo = new Duo({ listener: [PORT], connector: [PORT], shared: true, stun: false });
  expect(duo.connect().connector).toMatchObject({ strategy: "lan" });
});

test("a first connection over a very slow rendezvous neither spins nor gives up early", () => {
  const symmetric: NatBox = { mapping: APD, filtering: APD };
  const duo = new Duo({ listener: [symmetric], connector: [symmetric], signalMs: 1_500 });
  duo.connect(120_000);
  for (const side of duo.sides) {
    expect(side.closed).toMatchObject({ code: "no-path" });
    expect(side.events.at(-2)).toMatchObject({ event: "reason", path: "none" });
  }
});
