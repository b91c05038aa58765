import { EvenPort, Lifetime, Method, RequestedAddressFamily } from "@awl/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PortPool } from "./port-pool.js";
import { accounted, type Client, codeOf, PEER, World } from "./world.test-support.js";

/** Peers with one address and several ports among them: permissions are for addresses, channels for both. */
const PEERS = [PEER, { ...PEER, port: 5001 }, { address: "9.9.9.10", port: 5000 }, { address: "9.9.9.11", port: 1 }];

const step = fc.oneof(
  fc.record({ do: fc.constant("permit" as const), peer: fc.nat(3) }),
  fc.record({ do: fc.constant("bind" as const), peer: fc.nat(3), channel: fc.integer({ min: 0x4000, max: 0x4003 }) }),
  fc.record({ do: fc.constant("send" as const), peer: fc.nat(3) }),
  fc.record({ do: fc.constant("sendOn" as const), channel: fc.integer({ min: 0x4000, max: 0x4003 }) }),
  fc.record({ do: fc.constant("pass" as const), seconds: fc.constantFrom(1, 50, 150, 299, 300, 301) }),
  fc.record({ do: fc.constant("refresh" as const) }),
  fc.record({ do: fc.constant("arrive" as const), peer: fc.nat(3) }),
);

/** What RFC 8656 says, in a few lines: times by which things end. */
class Model {
  readonly permissions = new Map<string, number>();
  readonly channels = new Map<number, { peer: number; until: number }>();
  until: number;

  constructor(now: number) {
    this.until = now + 600;
  }

  permit(now: number, peer: number): void {
    this.permissions.set(PEERS[peer]?.address ?? "", now + 300);
  }

  isPermitted(now: number, peer: number): boolean {
    return now < this.until && now < (this.permissions.get(PEERS[peer]?.address ?? "") ?? 0);
  }

  channel(now: number, number: number): number | undefined {
    const channel = this.channels.get(number);
    return channel && now < channel.until ? channel.peer : undefined;
  }

  bind(now: number, number: number, peer: number): number {
    const bound = [...this.channels].find(([, channel]) => channel.peer === peer && now < channel.until)?.[0];
    if ((this.channel(now, number) ?? peer) !== peer || (bound ?? number) !== number) return 400;
    this.channels.set(number, { peer, until: now + 600 });
    this.permit(now, peer);
    return 0;
  }
}

test("whatever a client does in whatever order, data passes exactly while RFC 8656 says so", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World();
      const client = world.client(world.rest("ada", 1e6));
      client.relayed();
      client.permit({ address: "9.9.9.99", port: 1 });
      const [{ relay } = { relay: -1 }] = world.take("bind");
      const model = new Model(0);
      let now = 0;
      const alive = (): boolean => now < model.until;
      const forwarded = () => world.take("forward").map(({ to }) => to);
      for (const action of steps) {
        switch (action.do) {
          case "pass":
            now += action.seconds;
            // Half of the time without the ticks that a driver hands in.
            if (action.seconds % 2) world.pass(action.seconds);
            else world.now += action.seconds * 1000;
            break;
          case "refresh":
            expect(codeOf(client.ask(Method.Refresh))).toBe(alive() ? 0 : 437);
            if (alive()) model.until = now + 600;
            break;
          case "permit":
            expect(permitted(client, action.peer)).toBe(alive() ? 0 : 437);
            if (alive()) model.permit(now, action.peer);
            break;
          case "bind":
            expect(client.bind(action.channel, PEERS[action.peer] ?? PEER)).toBe(
              alive() ? model.bind(now, action.channel, action.peer) : 437,
            );
            break;
          case "send":
            client.send(PEERS[action.peer] ?? PEER, "data");
            expect(forwarded()).toEqual(model.isPermitted(now, action.peer) ? [PEERS[action.peer]] : []);
            break;
          case "sendOn": {
            client.sendOn(action.channel, "data");
            const peer = model.channel(now, action.channel);
            expect(forwarded()).toEqual(peer !== undefined && model.isPermitted(now, peer) ? [PEERS[peer]] : []);
            break;
          }
          case "arrive": {
            const from = PEERS[action.peer] ?? PEER;
            const arrived = world.feed({ type: "relayed", relay, from, bytes: Buffer.from("data") }, client);
            expect(arrived).toHaveLength(model.isPermitted(now, action.peer) ? 1 : 0);
          }
        }
      }
      expect(accounted(world.server)).toBe(world.server.counters.received);
    }),
  );
});

function permitted(client: Client, peer: number): number {
  return client.permit(PEERS[peer] ?? PEER);
}

test("whatever is allocated and let go, no port is two clients', and in the end all are free", () => {
  const act = fc.record({ client: fc.nat(9), even: fc.option(fc.boolean(), { nil: undefined }), ipv6: fc.boolean(), end: fc.boolean() });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
      const world = new World({ relayPorts: { low: 50_000, high: 50_007 }, limits: { allocationsPerUser: 6 } });
      const clients = Array.from({ length: 10 }, (_, i) => world.client(world.rest(`user${i % 3}`)));
      const held = new Map<number, string>();
      for (const { client, even, ipv6, end } of acts) {
        if (end) {
          clients[client]?.ask(Method.Refresh, [Lifetime.of(0)]);
          held.delete(client);
          continue;
        }
        const attributes = [...(even === undefined ? [] : [EvenPort.of(even)]), ...(ipv6 ? [RequestedAddressFamily.of(6)] : [])];
        const relayed = clients[client]?.allocate(attributes);
        if (typeof relayed !== "object") continue;
        if (even !== undefined) expect(relayed.port % 2).toBe(0);
        const name = `${relayed.address} ${relayed.port}`;
        expect([...held.values()]).not.toContain(name);
        held.set(client, name);
      }
      expect(world.server.size.allocations).toBe(held.size);
      for (const client of clients) client.ask(Method.Refresh, [Lifetime.of(0)]);
      world.pass(31);
      expect(world.server.size).toMatchObject({ allocations: 0, reservations: 0, users: 0 });
      const all = Array.from({ length: 8 }, (_, i) => world.client(world.rest(`late${i}`)).relayed().port);
      expect(new Set(all).size).toBe(8);
    }),
    { numRuns: 50 },
  );
});

test("a pool hands out each of its ports once, whatever is asked for", () => {
  const range = fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.nat(40)).map(([low, more]) => ({ low, high: low + more }));
  fc.assert(
    fc.property(
      range,
      fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 60 }),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      ({ low, high }, wishes, seed) => {
        const pool = new PortPool(low, high, () => Buffer.from(seed));
        const taken: number[] = [];
        for (const [even, next] of wishes) {
          const port = pool.take(even, next);
          if (port === undefined) continue;
          if (even) expect(port % 2).toBe(0);
          taken.push(port, ...(next ? [port + 1] : []));
        }
        expect(new Set(taken).size).toBe(taken.length);
        for (const port of taken) expect(port >= low && port <= high).toBe(true);
        expect(pool.free).toBe(high - low + 1 - taken.length);
        for (const port of [...taken, ...taken]) pool.release(port);
        expect(pool.free).toBe(high - low + 1);
      },
    ),
  );
});
