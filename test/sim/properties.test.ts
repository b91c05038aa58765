/** What holds for any seed, on lines with up to 20 % loss and a round trip of 300 ms. The drivers of the simulator check more all the time. */
import { createHash } from "node:crypto";
import type { Endpoint } from "@awl/wire";
import { expect, test } from "vitest";
import type { RouterBehaviour } from "../grid/nat-kinds.js";
import { CELLS, type Cell, expectationBetween, expectationOf } from "../grid.js";
import { type Attempt, attempt, drawWeather, meet } from "./attempt.js";
import { Duo } from "./duo.js";
import { Random } from "./random.js";
import { forSeeds } from "./seeds.js";
import type { SessionSide } from "./session-side.js";
import type { SitePlan } from "./site.js";

const SURE_CELLS = CELLS.filter((cell) => expectationOf(cell).outcome === "direct");
const HOPELESS_CELLS = CELLS.filter((cell) => expectationOf(cell).outcome === "none");

/** Two tries and the path in use, and one on its way: a socket of each family for each of them. */
const MAX_SOCKETS = 2 * 4;

/** Seven tries, no faster than their pace, at the peer's 16 candidates at most. */
const MAX_DATAGRAMS = 7 * 16 * 30;

function expectBounded({ mostSockets, events, sent, busiest }: SessionSide): void {
  expect(mostSockets).toBeLessThanOrEqual(MAX_SOCKETS);
  expect(events.length).toBeLessThan(20);
  expect(sent).toBeLessThan(MAX_DATAGRAMS);
  expect(busiest).toBeLessThan(100);
}

function expectAgreement({ duo: { connector, listener } }: Attempt): void {
  const bare = (endpoint: Endpoint | undefined) => endpoint && { address: endpoint.address, port: endpoint.port };
  expect(bare(listener.path?.pair.local)).toEqual(bare(connector.path?.pair.remote));
  expect(bare(connector.path?.pair.local)).toEqual(bare(listener.path?.pair.remote));
}

/** Nothing may happen any more; the drivers throw if a machine speaks. */
function expectSilence(duo: Duo): void {
  const sent = duo.sides.map((side) => side.sent);
  duo.clock.runFor(60_000);
  for (const side of duo.sides) side.feed({ type: "ping" });
  expect(duo.sides.map((side) => side.sent)).toEqual(sent);
  for (const { host } of duo.sides) expect(host.size).toBe(0);
  expect(duo.clock.size).toBeLessThan(10);
}

test("a pair that the table calls direct becomes direct, and both sides agree on the pair", () => {
  forSeeds(600, (random) => {
    const cell = random.pick(SURE_CELLS);
    const result = attempt(cell, drawWeather(random));
    expect({ cell, outcome: result.outcome }).toEqual({ cell, outcome: "direct" });
    expectAgreement(result);
    for (const side of result.duo.sides) expectBounded(side);
  });
});

test("a pair without hope is told why, on both sides, and then there is silence", () => {
  forSeeds(150, (random) => {
    const cell = random.pick(HOPELESS_CELLS);
    const result = attempt(cell, drawWeather(random));
    expect({ cell, outcome: result.outcome, why: result.why }).toEqual({ cell, outcome: "none", why: reasonOf(cell) });
    for (const side of result.duo.sides) expectBounded(side);
    expectSilence(result.duo);
  });
});

test("the grid's rule holds for whatever routers stand in a row", () => {
  forSeeds(300, (random) => {
    const [connector, listener] = [drawRouters(random), drawRouters(random)];
    const expected = expectationBetween(connector, listener);
    const { outcome, why } = meet(connector, listener, drawWeather(random));
    if (expected.outcome === "direct") expect({ connector, listener, outcome }).toEqual({ connector, listener, outcome: "direct" });
    else if (expected.outcome === "none")
      expect({ connector, listener, outcome, why }).toEqual({ connector, listener, outcome: "none", why: expected.reason });
  });
});

test("after a goodbye in the middle of whatever goes on there is silence", () => {
  forSeeds(150, (random) => {
    const duo = new Duo(drawPair(random));
    duo.clock.runFor(random.unit() * 4_000);
    const [first] = random.happens(0.5) ? duo.sides : [duo.listener];
    first.feed({ type: "close", code: "done", text: "" });
    duo.clock.runFor(1_000);
    // The other side's may have been lost.
    for (const side of duo.sides) side.feed({ type: "close", code: "done", text: "" });
    expectSilence(duo);
  });
});

test("the same seed is the same run, byte for byte", () => {
  const digest = (seed: number) => {
    const hash = createHash("sha256");
    const duo = new Duo(drawPair(new Random(seed)));
    for (const side of duo.sides) side.onSend = (bytes, to) => hash.update(`${duo.clock.now} ${to.address} ${to.port} `).update(bytes);
    duo.connect(30_000);
    return hash.digest("hex");
  };
  forSeeds(20, (_random, seed) => expect(digest(seed)).toBe(digest(seed)));
  expect(digest(1)).not.toBe(digest(2));
});

function drawPair(random: Random) {
  const [connector, listener] = random.pick(CELLS);
  return { connector, listener, ...drawWeather(random) };
}

const STRICT = "address-and-port-dependent";

/** No more than the ladder's openers reach. */
function drawRouters(random: Random): SitePlan {
  return { layers: Array.from({ length: 1 + random.below(2) }, () => drawRouter(random)), lan: `192.168.${random.below(256)}` };
}

function drawRouter(random: Random): RouterBehaviour {
  const filtering = random.pick(["endpoint-independent", "address-dependent", STRICT] as const);
  const traits = {
    filtering,
    unsolicited: random.happens(0.3) ? "confirm" : "drop",
    udp: random.happens(0.03) ? "block" : "forward",
    refresh: random.pick(["both", "outbound"] as const),
    hairpin: random.happens(0.3),
    lifetimeSeconds: random.pick([20, 300]),
  } as const;
  if (random.happens(0.1)) return { ...traits, nat: null };
  const pool = random.happens(0.1) ? 4 : 1;
  if (random.happens(0.6)) {
    const allocation = random.pick(["random", "sequential", "preserving"] as const);
    return { ...traits, nat: { mapping: "endpoint-independent", allocation, pool } };
  }
  const nat = {
    mapping: random.pick(["address-dependent", STRICT] as const),
    allocation: random.pick(["random", "sequential"] as const),
    pool,
  };
  return { ...traits, filtering: STRICT, nat };
}

function reasonOf(cell: Cell) {
  const expected = expectationOf(cell);
  return expected.outcome === "direct" ? undefined : expected.reason;
}
