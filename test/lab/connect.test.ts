/**
 * The main job: two peers behind NATs are connected, or told why not. The real `peer ping` against the real `peer listen`, for cells of
 * the grid. AWL_GRID=full takes all of them, AWL_LAB_RUNS_CONNECT sets how often: every other time the connector is there first.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { KERNEL_KIND_NAMES, type NatKindName } from "../grid/nat-kinds.js";
import { type Cell, type Expectation, expectationOf } from "../grid.js";
import { describeLab } from "./describe-lab.js";
import { GridLab } from "./grid-lab.js";
import { KERNEL_CELLS } from "./grid-run.js";

const RUNS = Number(process.env.AWL_LAB_RUNS_CONNECT ?? 1);

/** Against hangs only: pairs with one listener wait for each other. */
const TIMEOUT_MS = 120_000 + RUNS * 60_000;

/** Each kind comes to these, and meets itself. */
const TOUCHSTONES: readonly NatKindName[] = ["masquerade", "symmetric"];

const isTelling = ([a, b]: Cell) => a === b || TOUCHSTONES.includes(b);
const cells = KERNEL_CELLS.filter((cell) => process.env.AWL_GRID === "full" || isTelling(cell));
const named = cells.map((cell, turn) => [...cell, describe(expectationOf(cell)), turn] as const);

describeLab("peer", () => {
  let grid: GridLab;
  const punchMs: number[] = [];

  beforeAll(async () => {
    grid = await GridLab.create(KERNEL_KIND_NAMES);
  });

  afterAll(async () => {
    await grid?.lab.close();
    process.stderr.write(`\npunchMs: median ${quantile(0.5)}, p95 ${quantile(0.95)} of ${punchMs.length}\n`);
  });

  it.concurrent.each(named)("%s to %s: %s", { timeout: TIMEOUT_MS }, async (connector, listener, _, turn) => {
    const cell = [connector, listener] as const;
    const expected = expectationOf(cell);
    // One that fails takes its time, and is not the more certain to fail.
    const runs = expected.outcome === "direct" ? RUNS : 1;
    for (let run = 0; run < runs; run++) {
      const outcome = await grid.connect(cell, (run + turn) % 2 === 0 ? "listener" : "connector");
      expect(outcome, JSON.stringify(outcome)).toMatchObject(expected);
      if (outcome.outcome === "direct") punchMs.push(outcome.path.punchMs ?? Number.NaN);
    }
  });

  it("in one LAN they use it", async () => {
    const { outcome, hosts } = await grid.connectWithin("port-restricted");
    expect(outcome).toMatchObject({
      outcome: "direct",
      path: {
        strategy: "lan",
        pair: { local: { type: "host", address: hosts[0]?.address }, remote: { type: "host", address: hosts[1]?.address } },
      },
    });
  });

  it("with IPv6 on both sides they use it", async () => {
    const outcome = await grid.connect(["ipv6-firewall", "ipv6-firewall"]);
    expect(outcome).toMatchObject({ outcome: "direct", path: { pair: { remote: { address: expect.stringContaining(":") } } } });
  });

  it("is fast", () => {
    expect(Number(quantile(0.5))).toBeLessThan(250);
  });

  const quantile = (share: number) => [...punchMs].sort((a, b) => a - b)[Math.floor(share * (punchMs.length - 1))]?.toFixed(1) ?? "-";
});

function describe(expected: Expectation): string {
  return expected.outcome === "direct" ? "direct" : `${expected.outcome}, ${expected.reason}`;
}
