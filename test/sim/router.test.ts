/** Is every box what its behaviour says, packet by packet? */
import type { Endpoint } from "@awl/wire";
import { beforeEach, describe, expect, test } from "vitest";
import type { RouterBehaviour } from "../grid/nat-kinds.js";
import { Clock } from "./clock.js";
import type { Host } from "./host.js";
import { Internet } from "./internet.js";
import type { Network, Packet } from "./network.js";
import { Random } from "./random.js";
import { Site } from "./site.js";

const EI = "endpoint-independent";
const AD = "address-dependent";
const APD = "address-and-port-dependent";
/** Two ports of one address, and another address. */
const SERVERS: readonly Endpoint[] = [
  { address: "203.0.113.1", port: 1_000 },
  { address: "203.0.113.1", port: 2_000 },
  { address: "198.51.100.1", port: 1_000 },
];

const HOUR_MS = 3_600_000;

const BASE = {
  unsolicited: "drop",
  udp: "forward",
  lifetimeSeconds: 30,
  refresh: "both",
  hairpin: false,
  nat: { mapping: EI, allocation: "random" },
  filtering: APD,
} as const satisfies RouterBehaviour;

let clock: Clock;
let random: Random;
let internet: Internet;
/** Where the servers are plugged in. */
let servers: Network;
let heard: Packet[];
let sites: number;

beforeEach(() => {
  [clock, random, heard, sites] = [new Clock(), new Random(1), [], 0];
  internet = new Internet(clock, random);
  servers = internet.join().network;
  const listen = (address: string) => servers.plug(address, (packet) => void heard.push(packet));
  for (const address of new Set(SERVERS.map((server) => server.address))) listen(address);
});

const siteOf = (...layers: RouterBehaviour[]) => Site.on(internet, { clock, random }, ++sites, { layers });

/** A socket inside, and what it got. */
function socketOn(host: Host, port?: number) {
  const got: Packet[] = [];
  const local = host.bind(4, (packet) => void got.push(packet), port) as Endpoint;
  const send = (to: Endpoint | undefined, ttl?: number) => {
    host.send(local, to as Endpoint, Buffer.alloc(1), ttl);
    clock.runFor(1);
  };
  /** As whom each of the servers sees it. */
  const seen = () =>
    SERVERS.map((to) => {
      send(to);
      return heard.at(-1)?.from as Endpoint;
    });
  return { local, got, send, seen };
}

/** Sends from one of the servers. */
function reply(from: number, to: Endpoint | undefined): void {
  servers.send({ from: SERVERS[from] as Endpoint, to: to as Endpoint, bytes: Buffer.alloc(1), ttl: 64 });
  clock.runFor(1);
}

const ports = (endpoints: readonly Endpoint[]) => endpoints.map(({ port }) => port);

describe("mapping", () => {
  test.each([
    [EI, 1],
    [AD, 2],
    [APD, 3],
  ] as const)("%s: %i external ports for three destinations at two addresses", (mapping, count) => {
    const { seen } = socketOn(siteOf({ ...BASE, nat: { mapping, allocation: "random" } }).addHost());
    const [first, second] = [seen(), seen()];
    expect(new Set(ports(first)).size).toBe(count);
    expect(second).toEqual(first);
  });

  test("preserving: the port is kept, until another inside host has it", () => {
    const site = siteOf({ ...BASE, nat: { mapping: EI, allocation: "preserving" } });
    const [a, b] = [socketOn(site.addHost(), 5_000), socketOn(site.addHost(), 5_000)];
    expect(new Set(ports(a.seen()))).toEqual(new Set([5_000]));
    expect(ports(b.seen())[0]).not.toBe(5_000);
  });

  test("overloading: both keep it, and are told apart by whom they talk to", () => {
    const site = siteOf({ ...BASE, nat: { mapping: EI, allocation: "preserving", overloads: true } });
    const [a, b] = [socketOn(site.addHost(), 5_000), socketOn(site.addHost(), 5_000)];
    a.send(SERVERS[0]);
    b.send(SERVERS[1]);
    const outside = { address: "198.18.1.1", port: 5_000 };
    expect(heard.map(({ from }) => from)).toEqual([outside, outside]);
    reply(0, outside);
    expect([a.got.length, b.got.length]).toEqual([1, 0]);
    reply(1, outside);
    expect([a.got.length, b.got.length]).toEqual([1, 1]);
    // Towards one destination the later one takes it over.
    b.send(SERVERS[0]);
    reply(0, outside);
    expect([a.got.length, b.got.length]).toEqual([1, 2]);
  });

  test("sequential: each new port is the next one", () => {
    const { seen } = socketOn(siteOf({ ...BASE, nat: { mapping: APD, allocation: "sequential" } }).addHost());
    const [a, b, c] = ports(seen());
    expect([b, c]).toEqual([(a as number) + 1, (a as number) + 2]);
  });

  test("pooled: several external addresses, and one for each mapping", () => {
    const site = siteOf({ ...BASE, nat: { mapping: EI, allocation: "random", pool: 4 } });
    const host = site.addHost();
    const addresses = Array.from({ length: 40 }, () => {
      const seen = new Set(
        socketOn(host)
          .seen()
          .map(({ address }) => address),
      );
      expect(seen.size).toBe(1);
      return [...seen][0];
    });
    expect(new Set(addresses).size).toBe(4);
  });

  test("no NAT: nothing is translated", () => {
    const { seen, local } = socketOn(siteOf({ ...BASE, nat: null }).addHost());
    expect(seen()).toEqual([local, local, local]);
  });
});

test.each([
  [EI, [true, true, true]],
  [AD, [true, true, false]],
  [APD, [true, false, false]],
] as const)("filtering %s: whoever was sent to at first, its other port, another address: %s", (filtering, admitted) => {
  for (const nat of [BASE.nat, null]) {
    const { send, got } = socketOn(siteOf({ ...BASE, filtering, nat }).addHost());
    send(SERVERS[0]);
    const outside = heard.at(-1)?.from;
    const comesIn = SERVERS.map((_server, from) => {
      const before = got.length;
      reply(from, outside);
      return got.length > before;
    });
    expect(comesIn).toEqual(admitted);
  }
});

describe("timers", () => {
  test.each([
    ["both", true],
    ["outbound", false],
  ] as const)("refreshed by %s: what comes in keeps a mapping alive: %s", (refresh, alive) => {
    const { send, got } = socketOn(siteOf({ ...BASE, refresh }).addHost());
    send(SERVERS[0]);
    const outside = heard.at(-1)?.from;
    for (let i = 0; i < 3; i++) {
      clock.runFor(20_000);
      reply(0, outside);
    }
    expect(got).toHaveLength(alive ? 3 : 1);
  });

  test("an idle mapping is forgotten, and its port with it", () => {
    const { send, got } = socketOn(siteOf(BASE).addHost());
    send(SERVERS[0]);
    const before = heard.at(-1)?.from;
    clock.runFor(31_000);
    reply(0, before);
    expect(got).toEqual([]);
    send(SERVERS[0]);
    expect(heard.at(-1)?.from).not.toEqual(before);
  });

  test("a flushed router has forgotten everything", () => {
    const site = siteOf(BASE);
    const { send, got } = socketOn(site.addHost());
    send(SERVERS[0]);
    for (const router of site.routers) router.flush();
    reply(0, heard.at(-1)?.from);
    expect(got).toEqual([]);
  });
});

describe("a packet that nothing asked for", () => {
  const preserving = { ...BASE, nat: { mapping: EI, allocation: "preserving" } } as const;
  const arrivesFirst = (behaviour: RouterBehaviour) => {
    const socket = socketOn(siteOf(behaviour).addHost(), 5_000);
    // The mapping is there, towards somebody else.
    socket.send(SERVERS[2]);
    reply(0, heard.at(-1)?.from);
    socket.send(SERVERS[0]);
    const [kept, toItsSender] = [heard.at(-2)?.from.port, heard.at(-1)?.from.port];
    return { ...socket, kept, toItsSender };
  };

  test("changes nothing where it is dropped", () => {
    const { kept, toItsSender, got } = arrivesFirst(preserving);
    expect([kept, toItsSender, got.length]).toEqual([5_000, 5_000, 0]);
  });

  test("takes the port for its sender where it is confirmed, and for nobody else, and not for ever", () => {
    const { kept, toItsSender, got, send, seen } = arrivesFirst({ ...preserving, unsolicited: "confirm" });
    expect([kept, got.length]).toEqual([5_000, 0]);
    expect(toItsSender).not.toBe(5_000);
    expect(ports(seen())).toEqual([toItsSender, 5_000, 5_000]);
    clock.runFor(HOUR_MS);
    send(SERVERS[0]);
    expect(heard.at(-1)?.from.port).toBe(5_000);
  });

  test("comes too late for a flow that is there", () => {
    const { send, got } = socketOn(siteOf({ ...preserving, unsolicited: "confirm" }).addHost(), 5_000);
    send(SERVERS[0]);
    reply(0, heard.at(-1)?.from);
    send(SERVERS[0]);
    expect([heard.at(-1)?.from.port, got.length]).toEqual([5_000, 1]);
  });
});

test.each([true, false])("inside hosts reach each other's external endpoints with hairpin %s", (hairpin) => {
  const site = siteOf({ ...BASE, hairpin });
  const [a, b] = [socketOn(site.addHost()), socketOn(site.addHost())];
  const [outsideA, outsideB] = [a.seen()[0], b.seen()[0]];
  a.send(outsideB);
  b.send(outsideA);
  a.send(outsideB);
  expect(b.got.map(({ from }) => from)).toEqual(hairpin ? [outsideA] : []);
  expect(a.got.map(({ from }) => from)).toEqual(hairpin ? [outsideB] : []);
});

test("each router and the Internet are a hop: a short TTL opens one's own NATs and dies before the other's", () => {
  const { send, got } = socketOn(siteOf(BASE, BASE).addHost());
  send(SERVERS[0], 1);
  send(SERVERS[0], 3);
  expect(heard).toEqual([]);
  send(SERVERS[2], 4);
  expect(heard).toMatchObject([{ ttl: 1 }]);
  // The one that died had opened both.
  reply(0, heard[0]?.from);
  expect(got).toHaveLength(1);
});

test("where UDP is blocked nothing passes", () => {
  const { send } = socketOn(siteOf({ ...BASE, udp: "block" }).addHost());
  send(SERVERS[0]);
  expect(heard).toEqual([]);
});
