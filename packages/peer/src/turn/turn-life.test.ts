import { decodeMessage, type Endpoint, Method } from "@awl/wire";
import { describe, expect, test } from "vitest";
import { PEER, TurnWorld, type WorldOptions } from "./turn-world.test-support.js";

const HOUR = 3_600_000;

/** One datagram every 20 s, for so long. */
function chat(world: TurnWorld, ms: number): number {
  const end = world.clock.now + ms;
  let sent = 0;
  while (world.clock.now < end) {
    world.send(`${sent++}`);
    world.clock.runFor(20_000);
  }
  return sent;
}

describe("two hours", () => {
  test.each<[string, WorldOptions]>([
    ["over UDP", {}],
    ["over a stream", { client: { transport: "stream" } }],
    ["with nonces that last ten minutes", { server: { nonceMs: 600_000, sha256: true } }],
    ["with allocations of a minute", { server: { lifetimeSeconds: 60 } }],
  ])("%s lose nothing", (_, options) => {
    const world = new TurnWorld(options).allocate();
    const sent = chat(world, 2 * HOUR);
    expect(world.received).toHaveLength(sent);
    expect(world.events).toHaveLength(1);
    expect(world.server.violations).toEqual([]);
  });

  test("cost a refresh each 7 to 8 minutes, and one renewal each 4, which serves permission and channel", () => {
    const world = new TurnWorld().allocate();
    chat(world, 2 * HOUR);
    const { requests } = world.server;
    expect(requests.get(Method.Refresh)).toBeGreaterThanOrEqual(15);
    expect(requests.get(Method.Refresh)).toBeLessThanOrEqual(17);
    expect(requests.get(Method.ChannelBind)).toBeGreaterThanOrEqual(30);
    expect(requests.get(Method.ChannelBind)).toBeLessThanOrEqual(34);
    expect(requests.get(Method.CreatePermission)).toBe(1);
  });

  test("of silence keep the mapping alive, and the permissions of those who may come", () => {
    const world = new TurnWorld({ issued: true });
    world.feed({ type: "permit", peers: [PEER] });
    world.allocate();
    world.clock.runFor(2 * HOUR);
    const gaps = world.sent.slice(1).map(({ at }, i) => at - (world.sent[i]?.at ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(14_000);
    expect(gaps.length).toBeLessThan((2 * HOUR) / 12_000);
    world.server.fromPeer(world.clock.now, world.relayed as Endpoint, PEER, Buffer.from("still there?"));
    world.clock.runFor(100);
    expect(world.received).toMatchObject([{ text: "still there?" }]);
  });

  test("of silence over a stream cost no keepalives", () => {
    const world = new TurnWorld({ issued: true, client: { transport: "stream" } }).allocate();
    world.clock.runFor(2 * HOUR);
    expect(world.sent.length).toBeLessThan(20);
    expect(world.server.allocations.size).toBe(1);
  });

  test("at 20 % loss end no allocation, and most datagrams arrive", () => {
    const world = new TurnWorld({ line: { loss: 0.2, duplication: 0.05, jitterMs: 30 }, seed: 7 }).allocate();
    const sent = chat(world, 2 * HOUR);
    expect(world.events).toHaveLength(1);
    expect(new Set(world.received.map(({ text }) => text)).size).toBeGreaterThan(0.55 * sent);
    expect(world.server.violations).toEqual([]);
  });
});

test("keepalives come as often as asked", () => {
  const world = new TurnWorld({ issued: true, client: { keepaliveMs: 5_000 } }).allocate();
  world.clock.runFor(60_000);
  const bindings = world.sent.filter(({ bytes }) => {
    const message = decodeMessage(bytes);
    return typeof message !== "string" && message.method === Method.Binding && message.class === "indication";
  });
  expect(bindings.length).toBeGreaterThanOrEqual(11);
  expect(bindings.length).toBeLessThanOrEqual(14);
});

test("a nonce that goes stale in the middle of everything costs a round trip, and no datagram", () => {
  const world = new TurnWorld({ server: { sha256: true } }).allocate();
  for (let i = 0; i < 30; i++) {
    world.server.staleAllNonces();
    chat(world, 60_000);
  }
  expect(world.received).toHaveLength(90);
  expect(world.events).toHaveLength(1);
});

test("credentials that expire are replaced by newer ones, even a little late, and no datagram is lost", () => {
  const successor = { username: "ada again", password: "byron" };
  const world = new TurnWorld({ server: { sha256: true, expiresAt: HOUR, successor } }).allocate();
  const sent = chat(world, HOUR + 120_000);
  world.feed({ type: "credentials", credentials: successor });
  const more = chat(world, HOUR);
  expect(world.received).toHaveLength(sent + more);
  expect(world.events).toHaveLength(1);
});

test("a line that is dead for a minute, a refresh among what is lost, is outlived", () => {
  const world = new TurnWorld().allocate();
  const isRefresh = ({ bytes }: { bytes: Buffer }) => {
    const message = decodeMessage(bytes);
    return typeof message !== "string" && message.method === Method.Refresh;
  };
  world.clock.runFor(600_000, () => world.sent.some(isRefresh));
  world.line = { loss: 1 };
  world.clock.runFor(60_000);
  world.line = {};
  chat(world, 1_000_000);
  expect(world.events).toHaveLength(1);
  expect(world.received.at(-1)?.at).toBeGreaterThan(world.clock.now - 20_000);
});

test("a line that stays dead ends it when the lease does", () => {
  const world = new TurnWorld().allocate();
  world.line = { loss: 1 };
  world.clock.runFor(HOUR, () => world.ended);
  expect(world.events.at(-1)).toMatchObject({ event: "ended", code: "expired" });
  expect(world.clock.now).toBeLessThan(601_000);
});

test("a server that was restarted is noticed with the next request, and said so", () => {
  const world = new TurnWorld().allocate();
  chat(world, 60_000);
  world.server.restart();
  world.send("to somebody new", { ...PEER, address: "192.0.2.10" });
  world.clock.runFor(1_000);
  expect(world.events.at(-1)).toMatchObject({ event: "ended", code: "allocation-mismatch" });
});

test("peers that are not sent to any more are left to expire; who comes back gets the same channel", () => {
  const world = new TurnWorld().allocate();
  const numbers = () => [...(world.server.allocations.values().next().value?.channels.keys() ?? [])];
  chat(world, 100_000);
  const before = numbers();
  expect(before).toHaveLength(1);
  world.clock.runFor(850_000);
  expect(world.server.requests.get(Method.ChannelBind)).toBeLessThan(5);
  chat(world, 100_000);
  expect(numbers()).toEqual(before);
  expect(world.received).toHaveLength(10);
  expect(world.server.violations).toEqual([]);
});

test("several peers, each by its own channel", () => {
  const world = new TurnWorld().allocate();
  const peers = [1, 2, 3].flatMap((host) => [9_000, 9_001].map((port) => ({ address: `192.0.2.${host}`, port })));
  for (let i = 0; i < 100; i++) {
    for (const peer of peers) world.send(`${peer.address}:${peer.port} ${i}`, peer);
    world.clock.runFor(20_000);
  }
  expect(world.received).toHaveLength(600);
  expect(world.received.every(({ from, text }) => text.startsWith(`${from.address}:${from.port} `))).toBe(true);
  expect(world.server.allocations.values().next().value?.channels.size).toBe(6);
});

test("whoever is sent to, there are 64 permissions and 128 channels at most, and numbers rest before they are used again", () => {
  const world = new TurnWorld().allocate();
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 400; i++) world.send("x", { address: `10.${round}.${i >> 2}.1`, port: 1 + (i & 3) });
    world.clock.runFor(1_000);
    for (let i = 0; i < 400; i++) world.send("x", { address: `10.${round}.${i >> 2}.1`, port: 1 + (i & 3) });
    world.clock.runFor(59_000);
  }
  const [allocation] = world.server.allocations.values();
  const live = [...(allocation?.permissions.values() ?? [])].filter((until) => until > world.clock.now);
  expect(live.length).toBeLessThanOrEqual(64);
  const bound = [...(allocation?.channels.values() ?? [])].filter(({ until }) => until > world.clock.now);
  expect(bound.length).toBeLessThanOrEqual(128);
  expect(bound.length).toBeGreaterThan(0);
  expect(world.server.violations).toEqual([]);
  expect(world.client.counters["too-many"]).toBeGreaterThan(1_000);
});
