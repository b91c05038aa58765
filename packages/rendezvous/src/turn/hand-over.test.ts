import {
  AdditionalAddressFamily,
  Data,
  DontFragment,
  decodeChannelData,
  Lifetime,
  Method,
  XorPeerAddress,
  XorRelayedAddress,
} from "@awl/wire";
import { describe, expect, test } from "vitest";
import { allocated, type Client, connected, decoded, HOME, PEER, UDP, World } from "./world.test-support.js";

/** Two clients, each permitted by the other, on channels 0x4000 and 0x4001. */
function pair(a: Client, b: Client): void {
  const [atA, atB] = [a.relayed(), b.relayed()];
  expect([a.bind(0x4000, atB), b.bind(0x4001, atA)]).toEqual([0, 0]);
}

describe("between two clients of one server", () => {
  test("data is handed over, and no socket is bound for it", () => {
    const world = new World();
    const [a, b] = [world.client(), world.client()];
    pair(a, b);
    a.sendOn(0x4000, "hello");
    const [to] = world.take("send");
    expect(to?.to).toEqual(b.from);
    expect(decodeChannelData(to?.bytes ?? Buffer.alloc(0))).toEqual({ channel: 0x4001, data: Buffer.from("hello") });
    expect(world.take("bind")).toEqual([]);
    expect(world.server.counters).toMatchObject({ handedOver: 1, forwarded: 0, bytes: 5 });
  });

  test("from UDP to TCP and back: padded there, and not here", () => {
    const world = new World();
    const [a, b] = [world.client(), connected(world)];
    pair(a, b);
    a.sendOn(0x4000, "hello");
    expect(Buffer.from(world.take("write")[0]?.bytes ?? []).toString("hex")).toBe("4001000568656c6c6f000000");
    b.sendOn(0x4001, "hello");
    expect(Buffer.from(world.take("send")[0]?.bytes ?? []).toString("hex")).toBe("4000000568656c6c6f");
  });

  test("by indications", () => {
    const world = new World();
    const [a, b] = [world.client(), world.client()];
    const [atA, atB] = [a.relayed(), b.relayed()];
    a.permit(atB);
    b.permit(atA);
    a.send(atB, "hello", [DontFragment.of(true)]);
    const message = decoded(world.take("send")[0]?.bytes ?? Buffer.alloc(0));
    expect([message.method, message.get(XorPeerAddress), String(message.get(Data))]).toEqual([Method.Data, atA, "hello"]);
  });

  test("only if the other permits it, and while it is there", () => {
    const world = new World();
    const [a, b] = [world.client(), world.client()];
    const [atA, atB] = [a.relayed(), b.relayed()];
    a.bind(0x4000, atB);
    a.sendOn(0x4000, "unwanted");
    expect(world.server.counters.dropped["not-permitted-there"]).toBe(1);
    b.permit(atA);
    b.ask(Method.Refresh, [Lifetime.of(0)]);
    a.sendOn(0x4000, "gone");
    a.send({ address: HOME, port: 22 }, "nobody's");
    expect(world.server.counters.dropped["no-such-relay"]).toBe(2);
    expect(world.take("send")).toEqual([]);
  });

  test("a datagram as long as there can be reaches who has no channel for it, or is dropped, but breaks nothing", () => {
    const world = new World();
    const [a, b] = [connected(world), world.client()];
    const [atA, atB] = [a.relayed(), b.relayed()];
    a.bind(0x4000, atB);
    b.permit(atA);
    for (const length of [65_459, 65_460, 65_535]) a.sendOn(0x4000, Buffer.alloc(length));
    expect(world.take("send").map(({ bytes }) => bytes.length)).toEqual([20 + 12 + 4 + 65_460]);
    expect(world.server.counters.dropped["too-long"]).toBe(2);
  });

  test("between address families, each by its own", () => {
    const world = new World();
    const [a, b] = [world.client(), world.client()];
    const atA = a.ask(Method.Allocate, [UDP, AdditionalAddressFamily.of(6)]).all(XorRelayedAddress)[1];
    const atB = b.ask(Method.Allocate, [UDP, AdditionalAddressFamily.of(6)]).all(XorRelayedAddress)[1];
    if (!atA || !atB) throw new Error("no IPv6");
    expect([a.permit(atB), b.permit(atA)]).toEqual([0, 0]);
    a.send(atB, "six");
    expect(world.server.counters.handedOver).toBe(1);
  });
});

describe("a pair's credentials", () => {
  test("relay between the pair's own allocations", () => {
    const world = new World();
    const [a, b] = [world.client(world.issue({ user: "a" })), world.client(world.issue({ user: "b" }))];
    pair(a, b);
    a.sendOn(0x4000, "hello");
    expect(world.server.counters.handedOver).toBe(1);
  });

  test("do so on an address that the operator opened, too, and reach nothing else on it", () => {
    const world = new World({ allowed: [HOME] });
    const [a, b] = [world.client(world.issue({ user: "a" })), world.client(world.issue({ user: "b" }))];
    pair(a, b);
    a.sendOn(0x4000, "hello");
    a.send({ address: HOME, port: 9 }, "hello?");
    expect(world.server.counters).toMatchObject({ handedOver: 1, forwarded: 0, dropped: { "no-such-relay": 1 } });
    expect(world.take("bind")).toEqual([]);
  });

  test("do not reach other pairs, nor they them, nor an operator's clients", () => {
    const world = new World();
    const clients = [world.client(world.issue()), world.client(world.issue({ pair: "q" })), world.client()];
    const relayed = clients.map((client) => client.relayed());
    for (const client of clients) for (const peer of relayed) expect(client.permit(peer)).toBe(0);
    for (const client of clients) for (const peer of relayed) client.send(peer, "x");
    // Each reaches itself.
    expect(world.server.counters).toMatchObject({ handedOver: 3, dropped: { "not-permitted-there": 6 } });
  });

  test("reach the addresses observed for the pair, and no others", () => {
    const world = new World();
    const client = allocated(world, world.issue({ peers: [PEER.address] }));
    expect(client.permit({ ...PEER, port: 99 })).toBe(0);
    expect([client.permit({ address: "9.9.9.8", port: 1 }), client.bind(0x4000, { address: "9.9.9.8", port: 1 })]).toEqual([403, 403]);
  });

  test("an observed address is denied all the same if it is one that is denied to all", () => {
    const world = new World();
    const client = allocated(world, world.issue({ peers: ["10.0.0.9"] }));
    expect(client.permit({ address: "10.0.0.9", port: 1 })).toBe(403);
  });

  test("relay their bytes and no more; letting go of the allocation does not give them back", () => {
    const world = new World();
    const client = allocated(world, world.issue({ peers: [PEER.address], bytes: 1000 }));
    client.permit(PEER);
    for (let i = 0; i < 12; i++) client.send(PEER, Buffer.alloc(100));
    expect(world.take("forward")).toHaveLength(10);
    expect(world.server.counters.dropped["byte-quota"]).toBe(2);
    expect(client.ask(Method.Refresh).get(Lifetime)).toBeUndefined();
    client.ask(Method.Refresh, [Lifetime.of(0)]);
    expect(client.allocate()).toBe(486);
    expect(world.server.size).toMatchObject({ allocations: 0, users: 1 });
  });

  test("a newer credential brings new bytes and addresses, an older one does not", () => {
    const world = new World();
    const old = world.issue({ bytes: 100 });
    const client = allocated(world, old);
    world.unixTime++;
    client.credential = world.issue({ bytes: 300, peers: [PEER.address] });
    expect(client.permit(PEER)).toBe(0);
    client.send(PEER, Buffer.alloc(250));
    expect(world.take("forward")).toHaveLength(1);
    for (const credential of [old, client.credential]) {
      client.credential = credential;
      expect(client.ask(Method.Refresh).get(Lifetime)).toBe(600);
    }
    client.send(PEER, Buffer.alloc(100));
    expect(world.take("forward")).toHaveLength(0);
  });

  test("what was used is remembered until the credential is worth nothing", () => {
    const world = new World();
    const client = allocated(world, world.issue({ bytes: 1000, peers: [PEER.address], seconds: 60 }));
    client.permit(PEER);
    client.send(PEER, "x");
    client.ask(Method.Refresh, [Lifetime.of(0)]);
    world.pass(58);
    expect(world.server.size.users).toBe(1);
    world.pass(2);
    expect(world.server.size.users).toBe(0);
  });
});
