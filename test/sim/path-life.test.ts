/** What becomes of a path, and where one is found that the grid does not tell of. */
import { describe, expect, test } from "vitest";
import { Duo } from "./duo.js";
import { forSeeds } from "./seeds.js";
import { planOf } from "./site.js";

const CARRIER = "full-cone";

describe("behind one router", () => {
  test("hosts in one LAN use it, even where the NAT hairpins", () => {
    forSeeds(20, (_random, seed) => {
      const { connector, listener } = new Duo({ connector: "hairpinning", listener: "hairpinning", shared: "lan", seed }).connect();
      expect(connector.path).toMatchObject({ strategy: "lan", pair: { local: { type: "host" }, remote: { type: "host" } } });
      expect(listener.path).toMatchObject({ strategy: "lan" });
      expect(connector.events.filter(({ event }) => event === "path")).toHaveLength(1);
    });
  });

  test("hosts in one LAN find it without a STUN server", () => {
    const { connector } = new Duo({ connector: "port-restricted", listener: "port-restricted", shared: "lan", stun: false }).connect();
    expect(connector.path).toMatchObject({ strategy: "lan" });
  });

  test.each([true, false])("two homes behind one carrier meet there if it hairpins: %s", (hairpin) => {
    const shared = planOf(CARRIER, { hairpin });
    const { connector } = new Duo({ connector: "port-restricted", listener: "port-restricted", shared }).connect();
    if (hairpin) expect(connector.path).toMatchObject({ kind: "direct", strategy: "hairpin" });
    else expect(connector).toMatchObject({ path: undefined, closed: { code: "no-path" } });
  });
});

test("phones without a usable IPv4 port meet over IPv6", () => {
  const { connector } = new Duo({ connector: "ipv6-firewall", listener: "ipv6-firewall" }).connect();
  expect(connector.path).toMatchObject({ strategy: "ipv6" });
});

test("cone pairs are through in a few round trips of line and signalling", () => {
  const { connector } = new Duo({
    connector: "port-restricted",
    listener: "port-restricted",
    way: { delayMs: 20 },
    signalMs: 30,
  }).connect();
  expect(connector.path?.punchMs).toBeLessThanOrEqual(2 * 30 + 4 * 20 + 20);
});

test.each(["both", "outbound"] as const)(
  "a mapping that lives 20 s, refreshed by %s, outlives two idle minutes, at few packets",
  (refresh) => {
    const plan = planOf("short-lifetime", { refresh });
    const duo = new Duo({ connector: plan, listener: plan }).connect();
    const before = duo.connector.sent;
    duo.clock.runFor(120_000);
    for (const { events } of duo.sides) expect(events.map(({ event }) => event)).not.toContain("lost");
    expect(duo.connector.sent - before).toBeLessThan(25);
    duo.connector.feed({ type: "ping" });
    duo.clock.runFor(100);
    expect(duo.connector.events.at(-1)).toMatchObject({ event: "pong", seq: 0, rttMs: expect.closeTo(10) });
  },
);

test.each(["port-restricted", "masquerade"] as const)("%s routers that forget everything under traffic: healed within 3 s", (kind) => {
  forSeeds(20, (_random, seed) => {
    const duo = new Duo({ connector: kind, listener: kind, seed }).connect();
    duo.flush();
    const lostAt = duo.clock.now;
    const traffic = () => {
      duo.connector.feed({ type: "ping" });
      if (duo.clock.now < lostAt + 3_000) duo.clock.later(traffic, 100);
    };
    traffic();
    duo.clock.runFor(3_000);
    const pongs = () => duo.connector.events.filter(({ event }) => event === "pong").length;
    const before = pongs();
    duo.connector.feed({ type: "ping" });
    duo.clock.runFor(200);
    expect(pongs()).toBeGreaterThan(before);
  });
});

test("a path outlives the rendezvous, and is found again once that is back", () => {
  const duo = new Duo({ connector: "port-restricted", listener: "port-restricted" }).connect();
  duo.setSignal(false);
  duo.clock.runFor(60_000);
  expect(duo.connector.path).toBeDefined();
  duo.flush();
  duo.connector.feed({ type: "ping" });
  duo.clock.runFor(20_000);
  duo.setSignal(true);
  duo.clock.runFor(3_000);
  for (const { path } of duo.sides) expect(path).toBeDefined();
});

test("a goodbye reaches the other side, over the path if need be", () => {
  const duo = new Duo({ connector: "port-restricted", listener: "port-restricted" }).connect();
  duo.setSignal(false);
  duo.connector.feed({ type: "close", code: "done", text: "that was all" });
  duo.clock.runFor(100);
  expect(duo.listener.closed).toEqual({ event: "closed", code: "done", text: "that was all" });
  expect(duo.connector.session.handle(duo.clock.now, { type: "tick" })).toEqual([]);
});

test("a first connection over a very slow rendezvous neither spins nor gives up early", () => {
  const duo = new Duo({ connector: "symmetric", listener: "symmetric", signalMs: 1_500 }).connect(120_000);
  for (const { closed, events } of duo.sides) {
    expect(closed).toMatchObject({ code: "no-path" });
    expect(events.at(-2)).toMatchObject({ event: "reason", path: "none" });
  }
});
