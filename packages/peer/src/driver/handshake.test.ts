import { randomBytes } from "node:crypto";
import { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { PeerError } from "../errors.js";
import { Cast, closeAll, makeLink, newIdentity, outcomeOf, received } from "./handshake/hostile-link.test-support.js";
import type { SecureChannel } from "./handshake/secure-channel.js";

const cast = new Cast();

async function established(link = makeLink(), who = cast): Promise<[SecureChannel, SecureChannel]> {
  return Promise.all([who.listen(link), who.connect(link)]);
}

test("each knows the other, and they talk", async () => {
  const [l, c] = await established();
  expect([l.peerKey, c.peerKey]).toEqual([cast.connector.publicKey, cast.listener.publicKey]);
  const messages = [new Uint8Array(0), Uint8Array.of(1, 2, 3), Uint8Array.from(randomBytes(65_536)), Uint8Array.of(4)];
  for (const message of messages) {
    l.send(message);
    c.send(message);
  }
  expect(await received(c, 4)).toEqual(messages);
  expect(await received(l, 4)).toEqual(messages);
  expect(() => l.send(new Uint8Array(65_537))).toThrow(RangeError);
  l.close();
  expect(await Promise.all([l.closed, c.closed])).toEqual([undefined, undefined]);
  l.close();
  l.send(Uint8Array.of(1));
});

test("keys pair up, and differ by direction, purpose and session", async () => {
  const seen = new Set<string>();
  for (let session = 0; session < 3; session++) {
    const [l, c] = await established();
    expect(l.keys.checks).toEqual({ send: c.keys.checks.receive, receive: c.keys.checks.send });
    expect(l.keys.datagrams).toEqual({ send: c.keys.datagrams.receive, receive: c.keys.datagrams.send });
    expect([l.keys.resumption, l.keys.sessionId]).toEqual([c.keys.resumption, c.keys.sessionId]);
    const { checks, datagrams, resumption, sessionId } = l.keys;
    const all = [checks.send, checks.receive, datagrams.send, datagrams.receive, resumption, sessionId];
    expect(all.map((key) => key.length)).toEqual([32, 32, 32, 32, 32, 16]);
    for (const key of all) seen.add(Buffer.from(key.subarray(0, 16)).toString("hex"));
    closeAll(l, c);
  }
  expect(seen.size).toBe(18);
});

test("bytes may come in any pieces", async () => {
  const link = makeLink(({ bytes }) => Array.from(bytes, (byte) => Uint8Array.of(byte)));
  closeAll(...(await established(link)));
});

describe("who may come in", () => {
  test("a wrong secret: both learn that the ticket is refused", async () => {
    const link = makeLink();
    const outcomes = [outcomeOf(cast.listen(link)), outcomeOf(cast.connect(link, { secret: randomBytes(16) }))];
    expect(await Promise.all(outcomes)).toEqual(["ticket-refused", "ticket-refused"]);
  });

  test("the right secret with another listener's key", async () => {
    const link = makeLink();
    const outcomes = [outcomeOf(cast.listen(link)), outcomeOf(cast.connect(link, { listenerKey: newIdentity().publicKey }))];
    expect(await Promise.all(outcomes)).toEqual(["ticket-refused", "ticket-refused"]);
  });

  test("not allowed: both learn it", async () => {
    const link = makeLink();
    const asked: Uint8Array[] = [];
    const allow = (key: Uint8Array) => asked.push(key) === 0;
    expect(await cast.meet(link, { allow })).toEqual(["not-allowed", "not-allowed"]);
    expect(asked).toEqual([cast.connector.publicKey]);
    await expect.poll(() => [link.listener.duplex.destroyed, link.connector.duplex.destroyed]).toEqual([true, true]);
  });

  test("allowed", async () => {
    const key = Buffer.from(cast.connector.publicKey);
    const outcomes = await cast.meet(makeLink(), { allow: (other) => key.equals(other) });
    expect(outcomes.map((outcome) => typeof outcome)).toEqual(["object", "object"]);
    closeAll(...outcomes);
  });

  test("an `allow` or an identity that throws is a failed handshake", async () => {
    const fails = () => {
      throw new Error("out of order");
    };
    expect(await cast.meet(makeLink(), { allow: fails })).toEqual(["handshake-failed", "handshake-failed"]);
    const link = makeLink();
    const identity = { publicKey: cast.connector.publicKey, sign: fails };
    const outcomes = [outcomeOf(cast.listen(link)), outcomeOf(cast.connect(link, { identity }))];
    expect(await Promise.all(outcomes)).toEqual(["handshake-failed", "handshake-failed"]);
  });

  test("not the parts of a ticket", () => {
    expect(() => cast.listen(makeLink(), { secret: new Uint8Array(15) })).toThrow(RangeError);
    expect(() => cast.listen(makeLink(), { listenerKey: new Uint8Array(31) })).toThrow(RangeError);
  });
});

describe("an end that is none", () => {
  test.each(["listen", "connect"] as const)("silence: %s", async (side) => {
    const link = makeLink(() => []);
    await expect(cast[side](link, { timeoutMs: 30 })).rejects.toMatchObject({
      name: "PeerError",
      code: "handshake-timeout",
      message: "no handshake within 0.03 s",
    });
    expect(link[side === "listen" ? "listener" : "connector"].duplex.destroyed).toBe(true);
  });

  test.each(["listen", "connect"] as const)("abort: %s", async (side) => {
    const controller = new AbortController();
    const aborted = { name: "PeerError", code: "aborted" };
    const attempt = cast[side](makeLink(), { signal: controller.signal });
    controller.abort();
    await expect(attempt).rejects.toMatchObject(aborted);
    await expect(cast[side](makeLink(), { signal: controller.signal })).rejects.toMatchObject(aborted);
  });

  test("after it is established, a channel does not listen to the signal", async () => {
    const controller = new AbortController();
    const [l, c] = (await cast.meet(makeLink(), { signal: controller.signal })) as [SecureChannel, SecureChannel];
    controller.abort();
    l.send(Uint8Array.of(1));
    expect(await received(c, 1)).toEqual([Uint8Array.of(1)]);
    closeAll(l, c);
  });

  test.each(["listen", "connect"] as const)("the link ends: %s", async (side) => {
    const link = makeLink(() => []);
    const end = side === "listen" ? link.listener : link.connector;
    const ended = outcomeOf(cast[side](link));
    setImmediate(() => end.end());
    expect(await ended).toBe("handshake-failed");

    const broken = makeLink(() => []);
    const why = new PeerError("usage", "the link's own words");
    const attempt = cast[side](broken);
    setImmediate(() => (side === "listen" ? broken.listener : broken.connector).end(why));
    await expect(attempt).rejects.toBe(why);
    await expect(cast[side](broken)).rejects.toBe(why);
    expect(await outcomeOf(cast[side](link))).toBe("handshake-failed");
  });

  test("a stream that takes no bytes", async () => {
    const duplex = new Duplex({ read() {}, write() {} });
    expect(await outcomeOf(cast.connect(makeLink(), { duplex, timeoutMs: 30 }))).toBe("handshake-timeout");
  });
});

describe("an established channel", () => {
  test("keeps messages until somebody wants them, within limits", async () => {
    const [l, c] = await established();
    for (let i = 0; i < 256; i++) l.send(Uint8Array.of(i));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await received(c, 256)).map(([first]) => first)).toEqual(Array.from({ length: 256 }, (_, i) => i));
    for (let i = 0; i < 257; i++) c.send(Uint8Array.of(i));
    expect(await l.closed).toMatchObject({ code: "channel-lost", message: "messages arrived that nobody wants" });
    expect(await c.closed).toMatchObject({ code: "channel-lost" });
  });

  test("delivers all that was sent before it was closed", async () => {
    const [l, c] = await established();
    const all = received(c, 100);
    for (let i = 0; i < 100; i++) l.send(randomBytes(10_000));
    l.close();
    expect(await all).toHaveLength(100);
    expect(await Promise.all([l.closed, c.closed])).toEqual([undefined, undefined]);
  });

  test("a cut link is not a goodbye", async () => {
    const link = makeLink();
    const channels = await established(link);
    link.listener.end();
    const lost = { name: "PeerError", code: "channel-lost", message: "the link to the other side ended" };
    expect(await Promise.all(channels.map(({ closed }) => closed))).toMatchObject([lost, lost]);
  });

  test("a broken link says why", async () => {
    const link = makeLink();
    const [l] = await established(link);
    link.listener.end(new Error("no route"));
    expect(await l.closed).toMatchObject({ code: "channel-lost", message: "the channel broke: no route" });
  });

  test("a peer that reads nothing is given up", async () => {
    let stalled = false;
    const link = makeLink();
    const slow = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        if (stalled) return;
        link.listener.push(Uint8Array.from(chunk));
        done();
      },
    });
    const inbound = makeLink(({ bytes }) => {
      slow.push(bytes);
      return [];
    });
    const listening = cast.listen({ listener: inbound.listener });
    link.listener.duplex.on("data", (bytes: Buffer) => inbound.listener.push(bytes));
    const [, c] = await Promise.all([listening, cast.connect(link, { duplex: slow })]);
    stalled = true;
    for (let i = 0; i < 100; i++) c.send(new Uint8Array(65_536));
    expect(await c.closed).toMatchObject({ code: "channel-lost", message: "the other side does not read what is sent to it" });
  });
});
