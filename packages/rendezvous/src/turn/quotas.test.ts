import { EvenPort, Lifetime, Method } from "@awl/wire";
import { expect, test } from "vitest";
import { allocated, type Client, PEER, World } from "./world.test-support.js";

const address = (i: number) => ({ address: `9.9.${i >> 8}.${i & 0xff}`, port: 1000 });

test("allocations in all: 508; one that ends makes room", () => {
  const world = new World({ limits: { allocations: 2 } });
  const [first] = [allocated(world), allocated(world)];
  expect(world.client(world.rest("eve")).allocate()).toBe(508);
  first?.ask(Method.Refresh, [Lifetime.of(0)]);
  expect(allocated(world, world.rest("eve"))).toBeDefined();
});

test("ports: 508", () => {
  const world = new World({ relayPorts: { low: 50_001, high: 50_002 } });
  expect([1, 2, 3].map(() => typeof world.client().allocate())).toEqual(["object", "object", "number"]);
  expect(world.server.size).toMatchObject({ allocations: 2, users: 1 });
});

test("an odd and an even port are no pair of which the first is even", () => {
  const world = new World({ relayPorts: { low: 50_001, high: 50_002 } });
  expect(world.client().allocate([EvenPort.of(true)])).toBe(508);
  expect(world.client().relayed([EvenPort.of(false)]).port).toBe(50_002);
  expect(world.client().allocate([EvenPort.of(false)])).toBe(508);
});

test("permissions of an allocation, and in all: 508; renewing one is always possible", () => {
  const world = new World({ limits: { permissionsPerAllocation: 3, permissions: 4 } });
  const [a, b] = [allocated(world), allocated(world)];
  expect([0, 1, 2, 3, 0].map((i) => a.permit(address(i)))).toEqual([0, 0, 0, 508, 0]);
  expect(b.permit(address(0), address(1))).toBe(508);
  expect([0, 1].map((i) => b.permit(address(i)))).toEqual([0, 508]);
  expect(world.server.size.permissions).toBe(4);
  a.ask(Method.Refresh, [Lifetime.of(0)]);
  expect(world.server.size.permissions).toBe(1);
});

test("channels of an allocation, and in all: 508; renewing one is always possible", () => {
  const world = new World({ limits: { channelsPerAllocation: 3, channels: 4 } });
  const [a, b] = [allocated(world), allocated(world)];
  expect([0, 1, 2, 3, 0].map((i) => a.bind(0x4000 + i, address(i)))).toEqual([0, 0, 0, 508, 0]);
  expect([0, 1].map((i) => b.bind(0x4000 + i, address(i)))).toEqual([0, 508]);
  // What is refused leaves no permission behind.
  expect(world.server.size).toMatchObject({ channels: 4, permissions: 4 });
});

test("users: those with allocations stay, those without make room", () => {
  const world = new World({ limits: { users: 2 } });
  const used = allocated(world, world.issue({ user: "used", bytes: 9, peers: [PEER.address] }));
  used.permit(PEER);
  used.send(PEER, "x");
  allocated(world, world.rest("bob"));
  expect(world.client(world.rest("eve")).allocate()).toBe(508);
  used.ask(Method.Refresh, [Lifetime.of(0)]);
  expect(world.server.size.users).toBe(2);
  allocated(world, world.rest("eve"));
  expect(world.server.size.users).toBe(2);
});

const sendMany = (client: Client, count: number): void => {
  for (let i = 0; i < count; i++) client.send(PEER, Buffer.alloc(100));
};

test("bytes a second of a user: his own only, both ways together", () => {
  const world = new World({ limits: { userByteRate: 1000, userByteBurst: 1000 } });
  const [ada, eve] = [allocated(world), allocated(world, world.rest("eve"))];
  for (const client of [ada, eve]) client.permit(PEER);
  const [{ relay } = { relay: -1 }] = world.take("bind");
  sendMany(ada, 8);
  for (let i = 0; i < 4; i++) world.feed({ type: "relayed", relay, from: PEER, bytes: Buffer.alloc(100) });
  sendMany(eve, 12);
  expect(world.server.counters).toMatchObject({
    forwarded: 18,
    dropped: { "user-rate": 2 },
    peers: { delivered: 2, dropped: { "user-rate": 2 } },
  });
  world.now += 500;
  sendMany(ada, 8);
  expect(world.server.counters.forwarded).toBe(23);
});

test("bytes a second of all", () => {
  const world = new World({ limits: { byteRate: 1000, byteBurst: 1000 } });
  for (const name of ["ada", "eve"]) {
    const client = allocated(world, world.rest(name));
    client.permit(PEER);
    sendMany(client, 8);
  }
  expect(world.server.counters).toMatchObject({ forwarded: 10, dropped: { "total-rate": 6 } });
});
