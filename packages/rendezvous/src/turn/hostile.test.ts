import type { Endpoint } from "@awl/wire";
import { expect, test } from "vitest";
import { heapUsed } from "../driver/heap.test-support.js";
import type { RelayId } from "./allocation.js";
import { DENIED } from "./denied-addresses.test-support.js";
import { hostileMessage, noise, xorshift } from "./hostile.test-support.js";
import type { TurnLimits } from "./limits.js";
import { accounted, type Client, connected, HOME, OTHER_PEER, PEER, World } from "./world.test-support.js";

/** Messages; AWL_HOSTILE=1000000 is the full run. */
const COUNT = Number(process.env.AWL_HOSTILE ?? 20_000);

const LIMITS: Partial<TurnLimits> = {
  allocations: 40,
  allocationsPerUser: 20,
  permissions: 100,
  permissionsPerAllocation: 10,
  channels: 50,
  users: 8,
};

test(`${COUNT} hostile messages of holders of credentials: none throws, none is lost count of, nothing forbidden leaves, and all of it stays small`, {
  timeout: 60_000 + COUNT / 2,
}, () => {
  const world = new World({ limits: LIMITS, relayPorts: { low: 50_000, high: 50_023 } });
  const random = xorshift(0x7e57);
  const { clients, peers } = crowd(world);
  let frames = 0;
  let sockets: RelayId[] = [];
  const attack = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const client = clients[random(clients.length)] as Client;
      if (random(200) === 0) world.pass(1 + random(30));
      if (random(50) === 0) world.bindable = [true, true, false, "later" as const][random(4)] ?? true;
      const binds = world.take("bind").map(({ relay }) => relay);
      sockets = [...sockets, ...binds].slice(-20);
      for (const relay of sockets) if (random(1000) === 0) world.feed({ type: random(2) ? "bound" : "unbound", relay });
      if (random(30) === 0) client.fetchNonce();
      const relay = sockets[random(sockets.length + 1)] ?? random(2000);
      const from = peers[random(4)] as Endpoint;
      if (random(8) === 0) world.feed({ type: "relayed", relay, from, bytes: noise(random, random(100)) });
      else client.sendBytes(hostileMessage(random, client.credential, peers));
      frames += world.take("forward").filter(({ to }) => to.address === PEER.address || to.address === OTHER_PEER.address).length;
      expectLittle(world);
      world.outputs = world.outputs.filter(({ type }) => type === "bind");
    }
  };

  attack(COUNT / 2);
  const before = heapUsed();
  attack(COUNT / 2);
  expect(heapUsed() - before).toBeLessThan(2 * 2 ** 20);

  const { counters } = world.server;
  expect(accounted(world.server)).toBe(counters.received);
  expect(frames).toBe(counters.forwarded);
  const { received, delivered, dropped } = counters.peers;
  expect(delivered + Object.values(dropped).reduce((sum, count) => sum + count, 0)).toBe(received);
  // It is a test of nothing if the attack never comes through.
  const { succeeded, forwarded, handedOver, refused } = counters;
  const seen = { succeeded, forwarded, handedOver, delivered, ...refused };
  const expected = ["succeeded", "forwarded", "handedOver", "delivered", "400", "401", "403", "437", "438", "441", "443", "508"] as const;
  expect(expected.filter((what) => seen[what as "succeeded"] < 3)).toEqual([]);

  world.pass(3700);
  expect(world.server.size).toMatchObject({ allocations: 0, reservations: 0, permissions: 0, channels: 0 });
});

/** Several users on UDP and TCP, and whom they try to reach: each other, honest peers, and what is denied. */
function crowd(world: World): { clients: Client[]; peers: Endpoint[] } {
  const credentials = [world.rest("ada", 1e9), world.rest("eve", 1e9), world.issue({ seconds: 1e9, peers: [PEER.address] })];
  const clients = credentials.flatMap((credential, i) => {
    const stream = connected(world, i, { address: `3.3.3.${i}`, port: 9 });
    stream.credential = credential;
    return [world.client(credential), world.client(credential), stream];
  });
  // On one 5-tuple with another's allocation: who asks with the wrong user.
  clients.push(world.client(credentials[1], clients[0]?.from));
  for (const client of clients) client.fetchNonce();
  const relayed = Array.from({ length: 24 }, (_, i) => ({ address: HOME, port: 50_000 + i }));
  const denied = DENIED.map((address) => ({ address, port: 80 })).slice(0, 8);
  return { clients, peers: [PEER, OTHER_PEER, PEER, OTHER_PEER, ...relayed, ...denied] };
}

function expectLittle({ server }: World): void {
  const { allocations, reservations, permissions, channels, users } = server.size;
  const little = allocations + reservations <= 40 && permissions <= 100 && channels <= 50 && users <= 8 && server.waiting <= 8 * 80;
  if (!little) throw new Error(JSON.stringify(server.size));
}
