/** nat-probe's machine in the simulator: every kind of the grid is told as what it is, and no line or server makes it tell a lie. */
import { makeReport } from "@awl/nat-probe";
import type { Endpoint } from "@awl/wire";
import { describe, expect, test } from "vitest";
import { type Filtering, type Mapping, NAT_KIND_NAMES, NAT_KINDS, type NatKindName, type RouterBehaviour } from "../grid/nat-kinds.js";
import { Clock } from "./clock.js";
import { FIRST_PORT, type Host } from "./host.js";
import { Internet } from "./internet.js";
import { type LineConditions, PERFECT } from "./line.js";
import { type ProbeRun, probe } from "./probe.js";
import { Random } from "./random.js";
import { forSeeds } from "./seeds.js";
import { planOf, Site, type SitePlan } from "./site.js";
import { OTHER, PRIMARY, plugStunDouble, SECOND_PLAIN, type StunDoubleKind } from "./stun-double.js";
import { plugStunHost } from "./stun-host.js";

const EI = "endpoint-independent";
const AD = "address-dependent";
const APD = "address-and-port-dependent";
const MAPPINGS = [EI, AD, APD, "none"] as const;
const FILTERINGS = [EI, AD, APD] as const;

interface World {
  readonly plan: SitePlan;
  readonly seed?: number;
  /** Of the host's own line, each way. @default 5 ms and nothing else */
  readonly line?: Partial<LineConditions>;
  /** @default our own, with two addresses */
  readonly server?: StunDoubleKind;
  readonly targets?: readonly Endpoint[];
}

/** One probe of a host behind NATs, and what happens to that host before and meanwhile. */
function run(
  { plan, seed = 1, line, server, targets = [PRIMARY] }: World,
  before?: (host: Host, site: Site, clock: Clock) => void,
): ProbeRun {
  const clock = new Clock();
  const random = new Random(seed);
  const internet = new Internet(clock, random.fork());
  if (server) plugStunDouble(internet, server);
  else plugStunHost(clock, internet);
  const site = Site.on(internet, { clock, random: random.fork() }, 1, plan, { ...PERFECT, delayMs: 5, ...line });
  const host = site.addHost();
  before?.(host, site, clock);
  return probe(clock, random.fork(), host, targets);
}

/** One router with this mapping and filtering. */
function routerPlan(mapping: Mapping | "none", filtering: Filtering): SitePlan {
  const traits = { unsolicited: "drop", udp: "forward", lifetimeSeconds: 300, refresh: "both", hairpin: false } as const;
  const nat = mapping === "none" ? null : ({ mapping, allocation: "random" } as const);
  return { layers: [{ ...traits, nat, filtering } satisfies RouterBehaviour] };
}

const verdictOf = (kind: NatKindName, { evidence }: ProbeRun) => {
  const { type, mapping, filtering, confidence } = makeReport(evidence);
  expect(evidence.obstacles, kind).toEqual([]);
  return { type, mapping, filtering, confidence };
};

test.each(NAT_KIND_NAMES)("%s is told as what it is", (kind) => {
  forSeeds(5, (_random, seed) => {
    expect(verdictOf(kind, run({ plan: planOf(kind), seed }))).toEqual({ ...NAT_KINDS[kind].expected, confidence: "high" });
  });
});

describe.each(MAPPINGS)("mapping %s", (mapping) => {
  test.each(FILTERINGS)("with filtering %s is told", (filtering) => {
    const { evidence, ms } = run({ plan: routerPlan(mapping, filtering) });
    expect(evidence).toMatchObject({ udp: "open", mapping, filtering, confidence: "high", obstacles: [] });
    expect(ms).toBeLessThan(500);
  });
});

test("for any loss up to 20 % each way, any seed and any delay, a verdict is right or has low confidence", () => {
  forSeeds(1_000, (random) => {
    const [mapping, filtering] = [random.pick(MAPPINGS), random.pick(FILTERINGS)];
    const line = {
      loss: random.unit() * 0.2,
      delayMs: random.unit() * 150,
      jitterMs: random.unit() * 30,
      duplication: random.unit() * 0.1,
    };
    const { evidence } = run({ plan: routerPlan(mapping, filtering), seed: random.uint32(), line });
    if (evidence.confidence === "high") expect(evidence).toMatchObject({ udp: "open", mapping, filtering });
  });
});

test("at 5 % loss each way the verdict is still reached, not only not wrong", () => {
  forSeeds(300, (_random, seed) => {
    const { evidence } = run({ plan: routerPlan(EI, AD), line: { loss: 0.05 }, seed });
    expect(evidence).toMatchObject({ mapping: EI, filtering: AD });
  });
});

describe("a server that cannot test filtering makes it unknown, not wrong", () => {
  const cases: [StunDoubleKind, Filtering, string][] = [
    ["plain", EI, "no-behavior-server"],
    ["same-address", EI, "no-behavior-server"],
    ["refuses-change", EI, "server-refuses"],
    ["deaf-to-change", EI, "server-refuses"],
    ["mute-to-change", EI, "server-refuses"],
    ["dead-alternate", APD, "alternate-dead"],
    // Behind a NAT that filters, such a server cannot be told from one that is not there.
    ["misdirects", EI, "server-misdirects"],
  ];
  test.each(cases)("%s", (server, filtering, obstacle) => {
    const { evidence } = run({ plan: routerPlan(EI, filtering), server });
    expect(evidence).toMatchObject({ udp: "open", filtering: "unknown", confidence: "low" });
    expect(evidence.obstacles).toContain(obstacle);
  });
});

test("a server of RFC 3489, without XOR-MAPPED-ADDRESS, will do", () => {
  const { evidence } = run({ plan: routerPlan(EI, AD), server: "classic" });
  expect(evidence).toMatchObject({ mapping: EI, filtering: AD, confidence: "high" });
});

test("two plain servers tell mapping, though not filtering", () => {
  for (const mapping of [EI, APD, "none"] as const) {
    const { evidence } = run({ plan: routerPlan(mapping, APD), server: "plain", targets: [PRIMARY, SECOND_PLAIN] });
    expect(evidence).toMatchObject({ mapping, filtering: "unknown", confidence: "low", obstacles: ["no-behavior-server"] });
  }
});

test("one plain server tells neither, unless there is no NAT at all", () => {
  const evidenceOf = (mapping: Mapping | "none") => run({ plan: routerPlan(mapping, EI), server: "plain" }).evidence;
  expect(evidenceOf(EI)).toMatchObject({ mapping: "unknown", obstacles: ["single-server", "no-behavior-server"] });
  expect(evidenceOf("none")).toMatchObject({ mapping: "none", filtering: "unknown" });
});

/** An earlier run left some of the ports that the next will use open to all of the server's endpoints. */
const openStale = (isStale: (socket: number) => boolean) => (host: Host) => {
  const address = host.addresses.get(4) as string;
  for (let socket = 0; socket < 16; socket++) {
    if (!isStale(socket)) continue;
    for (const to of [PRIMARY.address, OTHER.address].flatMap((address) => [PRIMARY.port, OTHER.port].map((port) => ({ address, port }))))
      host.send({ address, port: FIRST_PORT + socket }, to, Buffer.alloc(0));
  }
};

test("a port that an earlier run left open does not make a full cone", () => {
  for (let stale = 0; stale < 8; stale++) {
    const { evidence } = run(
      { plan: routerPlan(EI, APD) },
      openStale((socket) => socket === stale),
    );
    expect(evidence, `socket ${stale}`).toMatchObject({ mapping: EI, filtering: APD, confidence: "high" });
  }
});

test("a NAT that lets everybody in on some ports, and on others not, is not told with confidence", () => {
  const { evidence } = run(
    { plan: routerPlan(EI, APD) },
    openStale((socket) => socket % 3 === 0),
  );
  expect(evidence).toMatchObject({ confidence: "low", obstacles: ["inconsistent"] });
});

const sentIn = ({ outputs }: ProbeRun) => outputs.filter(({ type }) => type === "send").length;

test("a line that is slower than thought is not a lossy one", () => {
  // The first answers come at once, all later ones after more than the least retransmission timeout.
  const slowDown = (_host: Host, { accesses }: Site, clock: Clock) =>
    clock.at(3, () => {
      for (const { up, down } of accesses) up.conditions = down.conditions = { ...PERFECT, delayMs: 40 };
    });
  const probed = run({ plan: routerPlan(EI, APD), line: { delayMs: 2 } }, slowDown);
  expect(probed.evidence).toMatchObject({ filtering: APD, confidence: "high", obstacles: [] });
  expect(sentIn(probed)).toBeGreaterThan(sentIn(run({ plan: routerPlan(EI, APD), line: { delayMs: 2 } })));
});

test("no answer at all is udp-blocked, within the time that was given", () => {
  const probed = run({ plan: routerPlan(EI, EI), line: { loss: 1 } });
  expect(probed.evidence).toMatchObject({ udp: "blocked", mapping: "unknown", filtering: "unknown", confidence: "high" });
  expect(probed.ms).toBeCloseTo(2_200);
  expect(sentIn(probed)).toBe(10);
});

test("every socket is announced before it is used, and tests of different kinds never share one", () => {
  const { outputs } = run({ plan: routerPlan(EI, APD) });
  const opened = new Set<number>();
  const asked = new Map<number, Set<string>>();
  for (const output of outputs) {
    if (output.type === "open") opened.add(output.socket);
    if (output.type !== "send") continue;
    expect(opened).toContain(output.socket);
    const addresses = asked.get(output.socket) ?? new Set();
    asked.set(output.socket, addresses.add(output.to.address));
  }
  // Two sockets for mapping know both of the server's addresses; the four that test filtering have sent to one only.
  expect([...asked.values()].map((addresses) => addresses.size)).toEqual([2, 2, 1, 1, 1, 1]);
});
