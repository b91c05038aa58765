import { ChannelNumber, Data, DontFragment, decodeChannelData, Lifetime, Method, XorPeerAddress } from "@awl/wire";
import { describe, expect, test } from "vitest";
import { accounted, allocated, codeOf, decoded, OTHER_PEER, PEER, World } from "./world.test-support.js";

describe("permissions and data", () => {
  test("a Send indication goes out of the relay's socket, an answer comes back as a Data indication", () => {
    const world = new World();
    const client = allocated(world);
    expect(client.permit(PEER)).toBe(0);
    const [{ relay } = { relay: -1 }] = world.take("bind");
    client.send(PEER, "there");
    expect(world.take("forward")).toEqual([{ type: "forward", relay, to: PEER, bytes: Buffer.from("there") }]);

    const from = { ...PEER, port: 777 };
    const [indication] = world.feed({ type: "relayed", relay, from, bytes: Buffer.from("back") }, client);
    const message = decoded(indication ?? Buffer.alloc(0));
    expect(message).toMatchObject({ method: Method.Data, class: "indication" });
    expect([message.get(XorPeerAddress), String(message.get(Data))]).toEqual([from, "back"]);
  });

  test("the socket is bound for the first foreign address, the answer waits for it, and it is bound once", () => {
    const world = new World();
    world.bindable = "later";
    const client = allocated(world);
    client.fetchNonce();
    const requests = [
      client.request(Method.CreatePermission, [XorPeerAddress.of(PEER)]),
      client.request(Method.CreatePermission, [XorPeerAddress.of(OTHER_PEER)]),
    ];
    for (const request of requests) expect(client.sendBytes(request)).toEqual([]);
    const [bind, ...more] = world.take("bind");
    expect(more).toEqual([]);
    expect(world.server.waiting).toBe(2);
    expect(accounted(world.server)).toBe(world.server.counters.received);
    const answers = world.feed({ type: "bound", relay: bind?.relay ?? -1 }, client).map((bytes) => codeOf(decoded(bytes)));
    expect(answers).toEqual([0, 0]);
    expect(world.server).toMatchObject({ waiting: 0, size: { permissions: 2 } });
  });

  test("a port that another program has: 508, and nothing is permitted; later it may be free", () => {
    const world = new World();
    world.bindable = false;
    const client = allocated(world);
    expect(client.permit(PEER)).toBe(508);
    expect(client.bind(0x4000, PEER)).toBe(508);
    expect(world.server.size).toMatchObject({ permissions: 0, channels: 0 });
    world.bindable = true;
    expect(client.permit(PEER)).toBe(0);
  });

  test("requests do not pile up while they wait, nor outlive the allocation", () => {
    const world = new World();
    world.bindable = "later";
    const client = allocated(world);
    client.fetchNonce();
    for (let i = 0; i < 20; i++) client.sendBytes(client.request(Method.CreatePermission, [XorPeerAddress.of(PEER)]));
    expect(world.server).toMatchObject({ waiting: 8, counters: { dropped: { "not-awaited": 12 } } });
    client.ask(Method.Refresh, [Lifetime.of(0)]);
    expect(world.server).toMatchObject({ waiting: 0, counters: { dropped: { "not-awaited": 20 } } });
    const [bind] = world.take("bind");
    expect(world.feed({ type: "bound", relay: bind?.relay ?? -1 }, client)).toEqual([]);
    expect(world.take("release")).toHaveLength(1);
  });

  test("permissions end after 300 s, one by one", () => {
    const world = new World();
    const client = allocated(world);
    client.permit(PEER);
    world.pass(200);
    client.permit(OTHER_PEER);
    world.pass(99);
    client.send(PEER, "a");
    expect(world.take("forward")).toHaveLength(1);
    world.pass(1);
    for (const peer of [PEER, OTHER_PEER]) client.send(peer, "b");
    expect(world.take("forward").map(({ to }) => to)).toEqual([OTHER_PEER]);
    expect(world.server.size.permissions).toBe(1);
    const [{ relay } = { relay: 0 }] = world.take("bind");
    expect(world.feed({ type: "relayed", relay, from: PEER, bytes: Buffer.from("c") }, client)).toEqual([]);
    expect(world.server.counters.peers).toMatchObject({ received: 1, delivered: 0, dropped: { "no-permission": 1 } });
  });

  test("all peers of a CreatePermission are permitted, or none", () => {
    const world = new World();
    const client = allocated(world);
    expect(client.permit(PEER, { address: "10.0.0.1", port: 1 })).toBe(403);
    expect(client.permit()).toBe(400);
    expect(world.server.size.permissions).toBe(0);
    expect(client.permit(PEER, OTHER_PEER)).toBe(0);
    expect(world.server.size.permissions).toBe(2);
  });

  test("DONT-FRAGMENT: what would be cut up is dropped", () => {
    const world = new World();
    const client = allocated(world);
    client.permit(PEER);
    client.send(PEER, Buffer.alloc(1472), [DontFragment.of(true)]);
    client.send(PEER, Buffer.alloc(1473), [DontFragment.of(true)]);
    client.send(PEER, Buffer.alloc(1473));
    expect(world.take("forward").map(({ bytes }) => bytes.length)).toEqual([1472, 1473]);
    expect(world.server.counters.dropped["too-long"]).toBe(1);
  });
});

describe("channels", () => {
  test("data both ways, and a permission with it", () => {
    const world = new World();
    const client = allocated(world);
    expect(client.bind(0x4000, PEER)).toBe(0);
    client.sendOn(0x4000, "there");
    const [forward] = world.take("forward");
    expect([forward?.to, String(forward?.bytes)]).toEqual([PEER, "there"]);
    const relay = forward?.relay ?? -1;
    const [back] = world.feed({ type: "relayed", relay, from: PEER, bytes: Buffer.from("back") }, client);
    expect(decodeChannelData(back ?? Buffer.alloc(0))).toEqual({ channel: 0x4000, data: Buffer.from("back") });
    // Another port of the same peer has the permission, but not the channel.
    const [other] = world.feed({ type: "relayed", relay, from: { ...PEER, port: 1 }, bytes: Buffer.from("x") }, client);
    expect(decoded(other ?? Buffer.alloc(0)).method).toBe(Method.Data);
  });

  test("numbers to 0x7FFF, for clients of RFC 5766, and none beside", () => {
    const client = allocated(new World());
    expect([0x3fff, 0x4000, 0x7fff, 0x8000, 0].map((number, i) => client.bind(number, { ...PEER, port: i + 1 }))).toEqual([
      400, 0, 0, 400, 400,
    ]);
  });

  test("one number is one peer's, and one peer has one number", () => {
    const client = allocated(new World());
    expect(client.bind(0x4000, PEER)).toBe(0);
    expect([client.bind(0x4001, PEER), client.bind(0x4000, OTHER_PEER), client.bind(0x4000, PEER)]).toEqual([400, 400, 0]);
    expect(codeOf(client.ask(Method.ChannelBind, [ChannelNumber.of(0x4002)]))).toBe(400);
    expect(client.bind(0x4002, { ...PEER, port: 0 })).toBe(400);
  });

  test("a channel ends after 600 s, its permission after 300; what is over may be bound anew", () => {
    const world = new World();
    const client = allocated(world);
    client.bind(0x4000, PEER);
    client.ask(Method.Refresh, [Lifetime.of(3600)]);
    world.pass(300);
    client.sendOn(0x4000, "no permission");
    client.permit(PEER);
    client.sendOn(0x4000, "again");
    expect(world.take("forward")).toHaveLength(1);
    world.pass(299);
    expect(client.bind(0x4000, OTHER_PEER)).toBe(400);
    world.now += 1000;
    client.sendOn(0x4000, "over");
    expect(world.server.counters.dropped).toMatchObject({ "no-permission": 1, "no-channel": 1 });
    expect([client.bind(0x4000, OTHER_PEER), client.bind(0x4001, PEER)]).toEqual([0, 0]);
    expect(world.server.size.channels).toBe(2);
  });
});
