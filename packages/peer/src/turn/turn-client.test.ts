import {
  decodeChannelData,
  decodeMessage,
  type Endpoint,
  ErrorCode,
  encodeMessage,
  Method,
  Nonce,
  Realm,
  type StunMessage,
  XorMappedAddress,
} from "@awl/wire";
import { describe, expect, test } from "vitest";
import type { TurnInput } from "./turn-io.js";
import { ADA, REALM } from "./turn-server.test-support.js";
import { CLIENT, PEER, SERVER, TurnWorld } from "./turn-world.test-support.js";

function methods(world: TurnWorld): string[] {
  const names = Object.entries(Method);
  return world.sent.map(({ bytes }) => {
    const message = decodeMessage(bytes);
    if (typeof message === "string") return typeof decodeChannelData(bytes) === "string" ? "?" : "ChannelData";
    return names.find(([, method]) => method === message.method)?.[0] ?? "?";
  });
}

describe("an allocation", () => {
  test.each([
    ["asked for, refused, asked for with the nonce of the refusal", false, 40, 2],
    ["asked for once, with a nonce that was issued", true, 20, 1],
  ])("%s", (_, issued, ms, datagrams) => {
    const world = new TurnWorld({ issued }).allocate();
    expect(world.events).toEqual([{ event: "allocated", relayed: { address: SERVER.address, port: 50_000 }, mapped: CLIENT }]);
    expect(world.clock.now).toBe(ms);
    expect(world.sent).toHaveLength(datagrams);
  });

  test.each([
    ["SHA-1", {}],
    ["SHA-256", { sha256: true }],
    ["SHA-256 and USERHASH", { sha256: true, anonymous: true }],
  ])("with %s, with and without an issued nonce, over both transports", (_, server) => {
    for (const issued of [false, true]) {
      for (const transport of ["udp", "stream"] as const) {
        const world = new TurnWorld({ issued, server, client: { transport } }).allocate();
        expect(world.relayed).toBeDefined();
        const { bytes } = world.sent.at(-1) ?? { bytes: Buffer.alloc(0) };
        expect(decodeMessage(bytes)).toMatchObject({ method: Method.Allocate });
        expect(world.sent).toHaveLength(issued ? 1 : 2);
      }
    }
  });

  test("of IPv6 is asked for by name", () => {
    const world = new TurnWorld({ client: { family: 6 } }).allocate();
    expect(world.relayed).toMatchObject({ address: "2001:db8::99" });
  });

  test("an issued nonce that is stale by then costs one more round trip", () => {
    const world = new TurnWorld({ issued: true });
    world.server.staleAllNonces();
    world.allocate();
    expect(world.relayed).toBeDefined();
    expect(world.clock.now).toBe(40);
  });

  test("a lost Allocate is repeated after 150 ms, the same bytes", () => {
    const world = new TurnWorld({ issued: true, line: { loss: 1 } });
    world.feed({ type: "tick" });
    world.clock.runFor(100);
    world.line = {};
    world.allocate();
    expect(world.sent.map(({ at }) => at)).toEqual([0, 150]);
    expect(world.sent[1]?.bytes).toEqual(world.sent[0]?.bytes);
    expect(world.relayed).toBeDefined();
  });

  test("a server that is silent is asked seven times over UDP, once over a stream, and given up", () => {
    const udp = new TurnWorld({ line: { loss: 1 } }).allocate();
    expect(udp.sent.map(({ at }) => at)).toEqual([0, 150, 450, 1_050, 2_250, 4_650, 9_450]);
    expect(udp.events).toMatchObject([{ event: "failed", code: "timeout", text: "The relay at 203.0.113.1:3478 does not answer." }]);
    expect(udp.clock.now).toBe(11_850);
    const stream = new TurnWorld({ line: { loss: 1 }, client: { transport: "stream" } }).allocate();
    expect(stream.sent).toHaveLength(1);
    expect(stream.clock.now).toBe(10_000);
  });
});

describe("refusals of the allocation", () => {
  test.each([
    [403, "forbidden"],
    [437, "allocation-mismatch"],
    [440, "unsupported-family"],
    [441, "wrong-credentials"],
    [442, "unsupported-transport"],
    [486, "quota-reached"],
    [508, "no-capacity"],
    [500, "refused"],
    [400, "refused"],
  ])("%d is %s", (code, name) => {
    const world = new TurnWorld({ server: { refuse: () => ({ code }) } }).allocate();
    expect(world.events).toMatchObject([{ event: "failed", code: name }]);
  });

  test("a wrong password is refused once, not tried again and again", () => {
    const world = new TurnWorld({ client: { credentials: { ...ADA, password: "byron" } } }).allocate();
    expect(world.events).toMatchObject([{ event: "failed", code: "unauthorized" }]);
    expect(world.sent).toHaveLength(2);
  });

  test("issued credentials of another realm are used for the one that the server is of", () => {
    const world = new TurnWorld();
    const issued = new TurnWorld({ client: { credentials: { ...ADA, ...world.server.issue(0), realm: "example.com" } } }).allocate();
    expect(issued.relayed).toBeDefined();
    expect(issued.sent).toHaveLength(2);
  });

  test("a nonce that is stale whenever it is used ends in stale-nonce", () => {
    const world = new TurnWorld({ server: { nonceMs: -1 } }).allocate();
    expect(world.events).toMatchObject([{ event: "failed", code: "stale-nonce" }]);
    expect(world.sent).toHaveLength(3);
  });

  test("bid-down: a challenge whose password algorithms were taken out is not followed", () => {
    const strip = (bytes: Buffer) => {
      const answer = decodeMessage(bytes);
      return typeof answer === "string" ? undefined : withoutAlgorithms(answer);
    };
    const world = new TurnWorld({ server: { sha256: true, meddle: strip } }).allocate();
    expect(world.events).toMatchObject([{ event: "failed", code: "bad-challenge" }]);
    expect(world.sent).toHaveLength(1);
  });

  test.each([
    ["udp", 7],
    ["stream", 1],
  ] as const)("over %s, answers that are not signed with the password are not believed", (transport, sends) => {
    const forge = (_: Buffer, { method, transactionId }: StunMessage) =>
      encodeMessage({ method, class: "success", transactionId, attributes: [XorMappedAddress.of(CLIENT)] });
    const world = new TurnWorld({ issued: true, server: { meddle: forge }, client: { transport } }).allocate();
    expect(world.events).toMatchObject([{ event: "failed", code: "integrity-violated" }]);
    expect(world.sent).toHaveLength(sends);
    expect(world.client.counters.forged).toBe(sends);
  });

  test("an unsigned error cannot end what a signed success would", () => {
    let forged = false;
    const world = new TurnWorld({ issued: true, server: { meddle: (bytes, request) => (forged ? bytes : forge(request)) } });
    const forge = ({ method, transactionId }: StunMessage) => {
      forged = true;
      return encodeMessage({ method, class: "error", transactionId, attributes: [ErrorCode.of({ code: 486, reason: "" })] });
    };
    world.allocate();
    expect(world.relayed).toBeDefined();
    expect(world.clock.now).toBe(170);
  });

  test.each<[string, Endpoint, Endpoint, boolean]>([
    ["loopback", SERVER, { address: "127.0.0.1", port: 3478 }, false],
    ["a private network", SERVER, { address: "10.0.0.1", port: 3478 }, false],
    ["loopback in IPv6 clothes", SERVER, { address: "64:ff9b::7f00:1", port: 3478 }, false],
    ["another of its kind", SERVER, { address: "203.0.113.2", port: 3478 }, true],
    ["the public Internet", SERVER, { address: "9.9.9.9", port: 3478 }, true],
    ["port 0", SERVER, { address: "9.9.9.9", port: 0 }, false],
    ["loopback, where the server is", { address: "127.0.0.1", port: 1 }, { address: "127.0.0.2", port: 3478 }, true],
  ])("a client that follows ALTERNATE-SERVER to %s", (_, server, to, follows) => {
    const world = new TurnWorld({ server: { refuse: () => ({ code: 300, to }) }, client: { server } }).allocate();
    expect(world.events).toMatchObject([{ event: "failed", code: "try-alternate" }]);
    expect(world.events[0]).toEqual(expect.objectContaining(follows ? { alternate: { endpoint: to } } : { code: "try-alternate" }));
    expect("alternate" in (world.events[0] ?? {})).toBe(follows);
  });

  test("credentials, realms and nonces that fit into no message break nothing", () => {
    const long = "x".repeat(600);
    const world = new TurnWorld({ client: { credentials: { ...ADA, username: long } } }).allocate();
    expect(world.events).toMatchObject([{ event: "failed", code: "wrong-credentials" }]);
    const issued = new TurnWorld({ client: { credentials: { ...ADA, realm: REALM, nonce: long } } }).allocate();
    expect(issued.events).toMatchObject([{ event: "failed", code: "wrong-credentials" }]);
    const replaced = new TurnWorld({ issued: true }).allocate();
    replaced.feed({ type: "credentials", credentials: { ...ADA, username: long } });
    replaced.send("x");
    replaced.clock.runFor(100);
    expect(replaced.received).toHaveLength(1);
  });
});

describe("data", () => {
  test("follows its permission at once, there and back, and goes by channel as soon as the peer has answered", () => {
    const world = new TurnWorld({ issued: true }).allocate();
    const from = world.clock.now;
    world.send("one");
    expect(methods(world).slice(1)).toEqual(["CreatePermission", "Send"]);
    world.clock.runFor(100);
    expect(world.reached).toEqual([{ at: from + 10, peer: PEER, text: "one" }]);
    expect(world.received).toEqual([{ from: PEER, text: "one", at: from + 40 }]);
    world.send("two");
    world.clock.runFor(100);
    expect(methods(world).slice(3)).toEqual(["ChannelBind", "ChannelData"]);
    expect(world.received.at(-1)).toMatchObject({ from: PEER, text: "two" });
    expect(world.server.violations).toEqual([]);
  });

  test("that comes before the allocation waits for it, the latest few", () => {
    const world = new TurnWorld();
    for (let i = 0; i < 40; i++) world.send(`${i}`);
    world.allocate();
    world.clock.runFor(100);
    expect(world.received.map(({ text }) => text)).toEqual(Array.from({ length: 32 }, (_, i) => `${i + 8}`));
    expect(world.client.counters["too-many"]).toBe(8);
  });

  test("gets a channel after eight datagrams even if no answer comes", () => {
    const world = new TurnWorld({ issued: true }).allocate();
    world.onPeer = () => {};
    for (let i = 0; i < 10; i++) {
      world.send("x");
      world.clock.runFor(50);
    }
    expect(methods(world).filter((name) => name === "ChannelBind")).toHaveLength(1);
    expect(methods(world).at(-1)).toBe("ChannelData");
    expect(world.reached).toHaveLength(10);
  });

  test("from a peer that was only permitted arrives; from any other it does not, whatever the server says", () => {
    const world = new TurnWorld({ issued: true });
    world.feed({ type: "permit", peers: [PEER] });
    world.allocate();
    world.clock.runFor(100);
    const relayed = world.relayed as Endpoint;
    world.server.fromPeer(world.clock.now, relayed, PEER, Buffer.from("hello"));
    world.server.fromPeer(world.clock.now, relayed, { address: "192.0.2.66", port: 1 }, Buffer.from("stranger"));
    const stranger = [...world.server.allocations.values()][0];
    stranger?.permissions.set("192.0.2.67", Number.POSITIVE_INFINITY);
    world.server.fromPeer(world.clock.now, relayed, { address: "192.0.2.67", port: 1 }, Buffer.from("stranger"));
    world.clock.runFor(100);
    expect(world.received.map(({ text }) => text)).toEqual(["hello"]);
    expect(world.client.counters["not-permitted"]).toBe(1);
  });

  test("to a peer that the server refuses is dropped, and said so once a minute", () => {
    const refuse = (method: number) => (method === Method.CreatePermission ? { code: 403 } : undefined);
    const world = new TurnWorld({ issued: true, server: { refuse } }).allocate();
    for (let i = 0; i < 100; i++) {
      world.send("x");
      world.clock.runFor(1_000);
    }
    expect(world.reached).toEqual([]);
    expect(world.events.slice(1)).toMatchObject([
      { event: "refused", address: PEER.address, code: "forbidden" },
      { event: "refused", address: PEER.address, code: "forbidden" },
    ]);
    expect(world.client.counters.refused).toBeGreaterThan(90);
  });

  test("of the other family, or too long for a datagram, is dropped", () => {
    const world = new TurnWorld({ issued: true }).allocate();
    world.send("x", { address: "2001:db8::1", port: 1 });
    world.feed({ type: "relay", to: PEER, bytes: Buffer.alloc(65_536) });
    expect(world.client.counters).toMatchObject({ "wrong-family": 1, "too-long": 1 });
    expect(world.sent).toHaveLength(1);
  });

  test("over a stream is padded", () => {
    const world = new TurnWorld({ issued: true, client: { transport: "stream" } }).allocate();
    for (const text of ["a", "bc", "def", "ghijk"]) {
      world.send(text);
      world.clock.runFor(100);
    }
    expect(methods(world).filter((name) => name === "ChannelData")).toHaveLength(3);
    expect(world.received.map(({ text }) => text)).toEqual(["a", "bc", "def", "ghijk"]);
    expect(world.server.violations).toEqual([]);
  });
});

test("a tick that comes too early is told again when to come", () => {
  const world = new TurnWorld({ issued: true });
  const at = (input: TurnInput) => world.client.handle(0, input).filter(({ type }) => type === "wake");
  expect(at({ type: "tick" })).toEqual([{ type: "wake", at: 150 }]);
  expect(at({ type: "tick" })).toEqual([{ type: "wake", at: 150 }]);
  expect(at({ type: "datagram", bytes: Buffer.alloc(3) })).toEqual([]);
});

describe("the end", () => {
  test("close gives the allocation back", () => {
    const world = new TurnWorld({ issued: true }).allocate();
    world.feed({ type: "close" });
    world.clock.runFor(1_000);
    expect(world.events.at(-1)).toMatchObject({ event: "ended", code: "closed" });
    expect(world.server.allocations.size).toBe(0);
    expect(world.clock.now).toBeLessThan(1_100);
  });

  test("close while an Allocate is on its way gives back what it gets", () => {
    const world = new TurnWorld({ issued: true });
    world.feed({ type: "tick" });
    world.feed({ type: "close" });
    world.clock.runFor(1_000);
    expect(world.server.requests.get(Method.Allocate)).toBe(1);
    expect(world.events).toMatchObject([{ event: "ended", code: "closed" }]);
    expect(world.server.allocations.size).toBe(0);
  });

  test("close before the first answer allocates nothing", () => {
    const world = new TurnWorld();
    world.feed({ type: "tick" });
    world.feed({ type: "close" });
    world.clock.runFor(1_000);
    expect(world.server.requests.size).toBe(0);
    expect(world.events).toMatchObject([{ event: "ended", code: "closed" }]);
  });

  test("a server that does not answer a goodbye is not waited for long", () => {
    const world = new TurnWorld({ issued: true }).allocate();
    world.line = { loss: 1 };
    world.feed({ type: "close" });
    world.clock.runFor(1_500);
    expect(world.events.at(-1)).toMatchObject({ event: "ended", code: "closed" });
    expect(world.sent.length).toBeGreaterThan(3);
  });

  test("a lost connection ends it, with what was lost", () => {
    const world = new TurnWorld({ issued: true, client: { transport: "stream" } }).allocate();
    world.feed({ type: "lost", text: "The connection was reset." });
    expect(world.events.at(-1)).toEqual({ event: "ended", code: "lost", text: "The connection was reset." });
    world.send("x");
    world.clock.runFor(1_000_000);
    expect(world.sent).toHaveLength(1);
  });
});

/** A challenge without its password algorithms. */
function withoutAlgorithms(challenge: StunMessage): Buffer {
  const { method, transactionId } = challenge;
  const attributes = [ErrorCode.of({ code: 401, reason: "" }), Realm.of(challenge.get(Realm) ?? ""), Nonce.of(challenge.get(Nonce) ?? "")];
  return encodeMessage({ method, class: "error", transactionId, attributes });
}
