/** What has gone wrong in other TURN servers, each by its name. */
import {
  ChannelNumber,
  canonicalAddress,
  type Endpoint,
  EvenPort,
  encodeMessage,
  Lifetime,
  Method,
  Nonce,
  Realm,
  RequestedAddressFamily,
  ReservationToken,
  Software,
  UnknownAttributes,
  Username,
  XorPeerAddress,
} from "@awl/wire";
import { describe, expect, test } from "vitest";
import { DENIED } from "./denied-addresses.test-support.js";
import { accounted, allocated, type Client, codeOf, decoded, HOME, HOME6, PEER, UDP, World } from "./world.test-support.js";

/** A client who could reach either family. */
function clients(world: World): { of: (address: string) => Client } {
  const ipv4 = allocated(world);
  const ipv6 = world.client();
  ipv6.relayed([RequestedAddressFamily.of(6)]);
  return { of: (address) => (canonicalAddress(address).includes(":") ? ipv6 : ipv4) };
}

/** Codes of CreatePermission and ChannelBind, and whether anything left by Send: the three ways to a peer. */
function ways(client: Client, world: World, peer: Endpoint): readonly [number, number, number] {
  const codes = [client.permit(peer), client.bind(0x4000, peer)] as const;
  client.send(peer, "data");
  client.sendOn(0x4000, "data");
  return [...codes, world.take("forward").length];
}

const REFUSED = [403, 403, 0];

describe("relaying into networks that strangers cannot reach", () => {
  test.each([
    ["CVE-2020-26262: 0.0.0.0 is loopback for a socket that sends", ["0.0.0.0", "::", "::1", "127.0.0.1"]],
    [
      "CVE-2026-27624: loopback hidden in IPv6",
      ["::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::"],
    ],
    ["metadata services of clouds", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "100.100.100.200"]],
    ["RFC 1918, which coturn leaves open by default", ["10.0.0.1", "172.16.0.1", "192.168.0.1", "::ffff:192.168.0.1"]],
    ["this very host", ["10.1.2.3"]],
  ])("%s", (_incident, addresses) => {
    const world = new World();
    const client = clients(world);
    for (const address of addresses) expect(ways(client.of(address), world, { address, port: 80 })).toEqual(REFUSED);
    expect(world.take("bind")).toEqual([]);
  });

  test(`${DENIED.length} addresses are refused on each path`, () => {
    const world = new World();
    const client = clients(world);
    const reached = DENIED.filter((address) => `${ways(client.of(address), world, { address, port: 80 })}` !== `${REFUSED}`);
    expect(reached).toEqual([]);
    expect(world.take("bind")).toEqual([]);
    expect(world.server.size).toMatchObject({ permissions: 0, channels: 0 });
  });

  test("the server's own ports are not reached through its relayed addresses", () => {
    const world = new World({ allowed: [HOME] });
    const client = allocated(world);
    const own = { address: HOME, port: 3478 };
    expect(client.bind(0x4000, own)).toBe(403);
    expect(client.permit(own)).toBe(0);
    client.send(own, "to myself");
    expect(world.take("forward")).toEqual([]);
    client.send({ ...own, port: 9999 }, "opened by its name");
    expect(world.take("forward")).toHaveLength(1);
  });

  test("a permission for a relayed address opens no other port of this host", () => {
    const world = new World();
    const client = allocated(world);
    expect(client.permit({ address: HOME, port: 1 })).toBe(0);
    for (const port of [22, 53, 3478, 3479, 50_000]) client.send({ address: HOME, port }, "x");
    expect([world.take("forward"), world.take("bind"), world.take("send")]).toEqual([[], [], []]);
  });
});

describe("credentials", () => {
  test("attributes behind MESSAGE-INTEGRITY count for nothing: who sits on the line cannot add a peer", () => {
    const world = new World();
    const client = allocated(world);
    const signed = client.request(Method.CreatePermission, [XorPeerAddress.of(PEER)]);
    const added = encodeMessage({
      method: 1,
      class: "request",
      transactionId: signed.subarray(8, 20),
      attributes: [XorPeerAddress.of({ address: "9.9.9.77", port: 1 })],
    });
    const forged = Buffer.concat([signed, added.subarray(20)]);
    forged.writeUInt16BE(forged.length - 20, 2);
    expect(codeOf(client.askSigned(forged))).toBe(0);
    client.send({ address: "9.9.9.77", port: 1 }, "x");
    client.send(PEER, "x");
    expect(world.take("forward").map(({ to }) => to)).toEqual([PEER]);
  });

  test("a request without a signature does nothing, whatever stands in it", () => {
    const world = new World();
    const client = allocated(world);
    for (const method of [Method.Refresh, Method.CreatePermission, Method.ChannelBind]) {
      const attributes = [Lifetime.of(0), XorPeerAddress.of(PEER), ChannelNumber.of(0x4000), Username.of(client.credential.username)];
      expect(codeOf(client.askBare(method, attributes) ?? decoded(Buffer.alloc(0)))).toBe(401);
    }
    expect(world.server.size).toMatchObject({ allocations: 1, permissions: 0, channels: 0 });
  });

  test("a quota of one user that counted everybody", () => {
    const world = new World({ limits: { allocationsPerUser: 2 } });
    for (const name of ["ada", "bob", "eve"]) for (let i = 0; i < 2; i++) allocated(world, world.rest(name));
    expect(world.client(world.rest("ada")).allocate()).toBe(486);
    expect(allocated(world, world.rest("joe"))).toBeDefined();
  });

  test("users without a name are not one user", () => {
    const world = new World({ limits: { allocationsPerUser: 1 } });
    const nameless = (seconds: number) => {
      const { username } = world.rest("", seconds);
      return { ...world.rest("", seconds), username };
    };
    expect(typeof world.client(nameless(10)).allocate()).toBe("object");
    expect(typeof world.client(nameless(20)).allocate()).toBe("object");
  });
});

describe("exhaustion", () => {
  test("EVEN-PORT without a use for it: allocating and letting go again and again does not reserve all ports", () => {
    const world = new World({ limits: { allocationsPerUser: 10 } });
    const client = world.client();
    for (let i = 0; i < 50; i++) {
      client.allocate([EvenPort.of(true)]);
      client.ask(Method.Refresh, [Lifetime.of(0)]);
    }
    expect(world.server.size.reservations).toBeLessThanOrEqual(9);
    world.pass(31);
    expect(world.server.size).toMatchObject({ reservations: 0, users: 0 });
  });

  test("EVEN-PORT leaks no port: as many allocations fit afterwards as before", () => {
    const world = new World({ relayPorts: { low: 50_000, high: 50_009 }, limits: { allocationsPerUser: 100 } });
    for (let round = 0; round < 20; round++) {
      const client = world.client();
      const token = client.ask(Method.Allocate, [UDP, EvenPort.of(true)]).get(ReservationToken) ?? Buffer.alloc(8);
      const other = world.client();
      if (round % 2) other.allocate([ReservationToken.of(token)]);
      for (const one of [client, other]) one.ask(Method.Refresh, [Lifetime.of(0)]);
      world.pass(31);
    }
    expect(Array.from({ length: 10 }, () => typeof world.client().allocate())).toEqual(new Array(10).fill("object"));
  });

  test("forged Allocates leave nothing behind: nonces are remembered by nobody", () => {
    const world = new World();
    for (let i = 0; i < 5000; i++) {
      world.now += 1;
      world.client({}, { address: `${1 + (i % 200)}.${i >> 8}.${i & 0xff}.1`, port: 1 }).askBare(Method.Allocate, [UDP]);
    }
    expect(world.server.size).toEqual({ allocations: 0, reservations: 0, permissions: 0, channels: 0, users: 0, connections: 0 });
    expect(world.outputs).toEqual([]);
  });
});

describe("amplification and reflection", () => {
  test("what a stranger is told has nothing beyond what RFC 8489 demands", () => {
    const world = new World();
    const request = encodeMessage({ method: Method.Allocate, class: "request", transactionId: Buffer.alloc(12) });
    const [answer] = world.client().sendBytes(request);
    // Header, ERROR-CODE without a phrase, REALM, NONCE, PASSWORD-ALGORITHMS.
    expect(answer).toHaveLength(20 + 8 + (4 + 4) + (4 + 32) + (4 + 8));
  });

  test.each([
    ["a request with a signature and nothing else", [], [{ algorithm: "sha1", key: Buffer.alloc(16) }]],
    ["a request full of what nobody knows", Array.from({ length: 60 }, () => Software.of("x")), []],
  ] as const)("%s is answered with no more than 1.5 times its length, or with that", (_what, attributes, integrity) => {
    const request = encodeMessage({ method: Method.Allocate, class: "request", transactionId: Buffer.alloc(12), attributes, integrity });
    const [answer] = new World().client().sendBytes(request);
    expect(answer?.length ?? 0).toBeLessThanOrEqual(Math.max(84, 1.5 * request.length));
  });

  test("strangers of one network are answered so often and no oftener; others all the same", () => {
    const world = new World();
    const answered = (address: string) => world.client({}, { address, port: 1 }).askBare(Method.Allocate, [UDP]) !== undefined;
    const answers = Array.from({ length: 1000 }, (_, i) => answered(`4.4.4.${i & 0xff}`)).filter(Boolean);
    expect(answers).toHaveLength(400);
    expect(world.server.counters.dropped["stranger-limit"]).toBe(600);
    expect(answered("5.5.5.5")).toBe(true);
    expect(accounted(world.server)).toBe(1001);
  });

  test("who has an allocation is not hindered by strangers who use his address", () => {
    const world = new World();
    const client = allocated(world);
    for (let i = 0; i < 1000; i++) client.askBare(Method.Allocate, [UDP]);
    expect(codeOf(client.ask(Method.Refresh))).toBe(0);
  });

  test("datagrams from the server's own endpoints, and from port 0, are not answered: they would go round and round", () => {
    const world = new World();
    for (const from of [
      { address: HOME, port: 3478 },
      { address: HOME6, port: 3479 },
      { address: "9.9.9.9", port: 0 },
    ]) {
      expect(world.client({}, from).askBare(Method.Allocate, [UDP])).toBeUndefined();
    }
    expect(world.server.counters.dropped["bad-source"]).toBe(3);
  });

  test("unknown attributes of a stranger are not listed for him", () => {
    const unheardOf = { attribute: { ...Software, type: 0x7abc }, value: "?" } as ReturnType<typeof Software.of>;
    const answer = new World().client().askBare(Method.Allocate, [UDP, unheardOf]);
    expect([codeOf(answer ?? decoded(Buffer.alloc(0))), answer?.has(UnknownAttributes)]).toEqual([401, false]);
  });
});

test("a wrong password and an unknown user cannot be told apart", () => {
  const world = new World();
  const client = world.client();
  client.fetchNonce();
  const answers = [{ password: "wrong" }, { username: `${world.unixTime + 60}:nobody` }].map((change) => {
    const other = world.client({ ...client.credential, ...change }, client.from);
    const answer = other.askSigned(other.request(Method.Allocate, [UDP]));
    return [codeOf(answer), answer.get(Realm), answer.get(Nonce)?.length, answer.bytes.length];
  });
  expect(answers[0]).toEqual(answers[1]);
});
