/**
 * The main job: two peers behind NATs are connected. The real `peer ping` against the real `peer listen`, for every pair of NATs
 * that matters. AWL_LAB_RUNS_CONNECT sets how often.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { NatKindName } from "../grid/nat-kinds.js";
import { describeLab } from "./describe-lab.js";
import type { Host } from "./host.js";
import { Lab } from "./lab.js";
import { eventsOf, type PingResult, peerPing, type RunningListener, startListener, startRendezvous } from "./programs.js";
import type { Site } from "./site.js";

const RUNS = Number(process.env.AWL_LAB_RUNS_CONNECT ?? 2);
const SERVER = ["--server", "ws://203.0.113.1:3478"];

type Cell = readonly [connector: NatKindName, listener: NatKindName];

/** Whatever is behind these gets through to each other. */
const CONES: readonly NatKindName[] = [
  "open",
  "full-cone",
  "address-restricted",
  "port-restricted",
  "masquerade-input-drop",
  "masquerade",
  "cgn",
  "firewall",
];

const CONE_PAIRS = CONES.flatMap((connector) => CONES.map((listener): Cell => [connector, listener]));

/** The symmetric side's port is not known, but these let in whatever comes from its address. */
const LENIENT_PAIRS = (["open", "full-cone", "address-restricted"] as const).flatMap((kind): Cell[] => [
  [kind, "symmetric"],
  ["symmetric", kind],
]);

const HOPELESS_PAIRS = (
  [
    ["port-restricted", "symmetric"],
    ["masquerade", "symmetric"],
    ["address-dependent-mapping", "port-restricted"],
  ] as const
).flatMap(([a, b]): Cell[] => [
  [a, b],
  [b, a],
]);

const BLOCKED_PAIRS: readonly Cell[] = [
  ["udp-blocked", "port-restricted"],
  ["port-restricted", "udp-blocked"],
];

const KINDS: readonly NatKindName[] = [...CONES, "symmetric", "address-dependent-mapping", "udp-blocked"];

/** Against hangs only: pairs with one listener wait for each other. */
const TIMEOUT_MS = 120_000 + RUNS * 60_000;

/** Seconds that the connector may be there before its listener. */
const MAX_LEAD_S = 2;

describeLab("peer", () => {
  let lab: Lab;
  const connectors = new Map<NatKindName, Site>();
  const listeners = new Map<NatKindName, RunningListener>();
  const latecomers = new Map<NatKindName, Latecomer>();
  const punchMs: number[] = [];
  const elapsedMs: number[] = [];

  beforeAll(async () => {
    lab = await Lab.create();
    await startRendezvous(await lab.server("rendezvous", ["203.0.113.1", "198.51.100.1"]));
    await Promise.all(
      KINDS.map(async (kind) => {
        connectors.set(kind, await lab.site(kind));
        const { host } = await lab.site(kind);
        listeners.set(kind, await startListener(host, ...SERVER));
        latecomers.set(kind, await Latecomer.at(lab, host, kind));
      }),
    );
  });

  afterAll(async () => {
    await lab?.close();
    process.stderr.write(`\ncone pairs, ms: ${distribution("punch", punchMs)}; ${distribution("elapsed", elapsedMs)}\n`);
  });

  it.concurrent.each(CONE_PAIRS)(`%s to %s: direct, ${RUNS} of ${RUNS}`, { timeout: TIMEOUT_MS }, async (connector, listener) => {
    for (const result of await connect(connector, listener)) {
      const path = expectDirect(result);
      punchMs.push(path.punchMs);
      elapsedMs.push(path.elapsedMs);
    }
  });

  it.concurrent.each(LENIENT_PAIRS)(`%s to %s: direct, ${RUNS} of ${RUNS}`, { timeout: TIMEOUT_MS }, async (connector, listener) => {
    for (const result of await connect(connector, listener)) expectDirect(result);
  });

  it.concurrent.each([...HOPELESS_PAIRS, ["symmetric", "symmetric"] as Cell])("%s to %s: told why not", async (connector, listener) => {
    expectNoPath(await ping(connector, listener), /symmetric/);
  });

  it.concurrent.each(BLOCKED_PAIRS)("%s to %s: told that UDP is blocked", async (connector, listener) => {
    expectNoPath(await ping(connector, listener), /UDP is blocked/);
  });

  it("in one LAN they use it", async () => {
    const site = connectors.get("port-restricted") as Site;
    const listener = await startListener(await site.addHost(), ...SERVER);
    // Long enough for a change of mind.
    const result = await peerPing(site.host, listener.ticket, ...["--count", "10", "--interval", "0.2"]);
    const path = expectDirect(result);
    expect(path).toMatchObject({
      strategy: "lan",
      pair: { local: { type: "host", address: site.host.address }, remote: { type: "host", address: site.hosts[1]?.address } },
    });
    await lab.stop(listener.child);
  });

  it("is fast", () => {
    expect(quantile(0.5, punchMs)).toBeLessThan(250);
  });

  const ping = (connector: NatKindName, listener: NatKindName): Promise<PingResult> =>
    peerPing(connectors.get(connector)?.host as Host, (listeners.get(listener) as RunningListener).ticket);

  /** Every other time the connector is first. */
  async function connect(connector: NatKindName, listener: NatKindName): Promise<PingResult[]> {
    const results: PingResult[] = [];
    while (results.length < RUNS) {
      results.push(results.length % 2 === 0 ? await ping(connector, listener) : await pingFirst(connector, listener));
    }
    return results;
  }

  const pingFirst = (connector: NatKindName, listener: NatKindName): Promise<PingResult> => {
    const latecomer = latecomers.get(listener) as Latecomer;
    return latecomer.come(Math.random() * MAX_LEAD_S, () => peerPing(connectors.get(connector)?.host as Host, latecomer.ticket));
  };
});

/** A listener of whom there is a ticket, and who starts when its connector is there already. For one connector at a time. */
class Latecomer {
  readonly ticket: string;
  readonly #start: () => Promise<RunningListener>;
  readonly #lab: Lab;
  #free: Promise<unknown> = Promise.resolve();

  private constructor(lab: Lab, ticket: string, start: () => Promise<RunningListener>) {
    this.#lab = lab;
    this.ticket = ticket;
    this.#start = start;
  }

  static async at(lab: Lab, host: Host, name: string): Promise<Latecomer> {
    const start = () => startListener(host, ...SERVER, "--identity", `/run/late-${name}.json`);
    const { ticket, child } = await start();
    await lab.stop(child);
    return new Latecomer(lab, ticket, start);
  }

  /** Does `before`, starts so much later, and stops when that is done. */
  come<T>(afterSeconds: number, before: () => Promise<T>): Promise<T> {
    const turn = this.#free.then(async () => {
      const done = before();
      await sleep(afterSeconds * 1_000);
      const { child } = await this.#start();
      return done.finally(() => this.#lab.stop(child));
    });
    this.#free = turn.catch(() => {});
    return turn;
  }
}

function expectDirect({ code, events, stderr }: PingResult) {
  const paths = eventsOf("path", events);
  expect({ code, stderr }, JSON.stringify(events)).toEqual({ code: 0, stderr: "" });
  expect(paths).toMatchObject([{ kind: "direct" }]);
  expect(eventsOf("pong", events)).not.toEqual([]);
  expect(eventsOf("reason", events)).toMatchObject([{ path: "direct" }]);
  const [path] = paths;
  if (!path) throw new Error("no path event");
  return path;
}

function expectNoPath({ code, events, stderr }: PingResult, why: RegExp): void {
  const reason = eventsOf("reason", events);
  expect({ code, reason, stderr }).toMatchObject({ code: 6, reason: [{ path: "none", text: expect.stringMatching(why) }] });
  expect(eventsOf("path", events)).toEqual([]);
  expect(stderr).toMatch(/^peer: .*\n$/);
  expect(stderr).toMatch(why);
}

const distribution = (name: string, values: readonly number[]) =>
  `${name} median ${quantile(0.5, values).toFixed(1)}, p95 ${quantile(0.95, values).toFixed(1)} of ${values.length}`;

function quantile(share: number, values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
