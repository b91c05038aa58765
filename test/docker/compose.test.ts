/** What `docker compose up` promises: each NAT is recognised from behind it, and the peers fare as their NATs let them. */
import { afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { type Cell, expectationOf } from "../grid.js";
import { eventsOf } from "../lab/programs.js";
import { Compose } from "./compose.js";
import { NAT_KINDS } from "./nat.js";
import type {} from "./setup.js";

const { engine, project } = inject("docker");

const PAIRS: readonly Cell[] = [
  ["full-cone", "full-cone"],
  ["port-restricted", "symmetric"],
  ["cgn", "cgn"],
];

const BOXES = ["server", "internet", "carrier-a", "carrier-b", "nat-a", "nat-b", "machine-a", "machine-b"];
const PROGRAMS = ["rendezvous", "probe-a", "probe-b", "peer-a", "peer-b"];

describe.skipIf(!engine.available)(engine.available ? "docker compose up" : `docker compose up (${engine.reason})`, () => {
  let compose: Compose;

  beforeAll(async () => {
    if (!engine.available) return;
    compose = new Compose(engine, project);
    await compose.build();
  });

  afterEach(() => compose?.down());

  it.each(PAIRS)("%s to %s", async (connector, listener) => {
    const { probes, peer } = await compose.connect(connector, listener);
    expect(probes).toMatchObject([NAT_KINDS[connector].expected, NAT_KINDS[listener].expected]);
    // Where the grid has no direct path there is the relay.
    const kind = expectationOf([connector, listener]).outcome === "direct" ? "direct" : "relay";
    const last = { path: eventsOf("path", peer.events).at(-1), reason: eventsOf("reason", peer.events).at(-1) };
    expect({ code: peer.code, ...last }).toMatchObject({ code: 0, path: { kind }, reason: { path: kind } });
    await expectConfined(compose);
  });
});

/** Holds for every pair, and costs no further start. */
async function expectConfined(compose: Compose): Promise<void> {
  const powers = async (service: string) => {
    const { Config: config, HostConfig: host } = await compose.inspect(service);
    // Newer engines write CAP_NET_ADMIN.
    const added = (host.CapAdd ?? []).map((capability) => capability.replace(/^CAP_/, ""));
    return { user: config.User, added, dropped: host.CapDrop, privileged: host.Privileged };
  };
  for (const program of await Promise.all(PROGRAMS.map(powers))) {
    expect(program).toEqual({ user: "node", added: [], dropped: ["ALL"], privileged: false });
  }
  for (const box of await Promise.all(BOXES.map(powers))) {
    expect(box).toEqual({ user: "", added: ["NET_ADMIN"], dropped: ["ALL"], privileged: false });
  }
  // A machine sees its home and nothing of the engine's network, nor has it a way out of the lab.
  const routes = await compose.exec("machine-a", "ip", "-4", "route", "show", "default");
  expect(routes.trim().split("\n")).toEqual([expect.stringMatching(/^default via 192\.168\.1\.254 dev lan/)]);
  expect(await compose.exec("machine-a", "ip", "-4", "-oneline", "address", "show", "scope", "global")).not.toMatch(/eth0/);
  expect(await compose.exec("internet", "ip", "-4", "route", "show", "default")).toBe("");
}
