import { registrationPayload, roomOf } from "@awl/wire";
import { describe, expect, test } from "vitest";
import { Crowd, makeKey, STUN_PORT } from "./crowd.test-support.js";

const KEY = makeKey();
const OTHER = makeKey();

describe("the protocol", () => {
  test("a client is welcomed with a challenge of its own, its address, and the port of STUN", () => {
    const crowd = new Crowd();
    const outputs = crowd.server.handle(0, { type: "connected", client: 7, observed: { address: "2001:db8::1", port: 5 } });
    expect(outputs.map(({ type }) => type)).toEqual(["send", "wake"]);
    expect(outputs[0]).toMatchObject({ client: 7, data: expect.stringContaining('"observed":{"address":"2001:db8::1","port":5}') });
    expect(outputs[0]).toMatchObject({ data: expect.stringContaining(`"stun":${STUN_PORT}`) });
    expect(crowd.connect().challenge).toHaveLength(32);
    expect(crowd.connect().challenge).not.toEqual(crowd.connect().challenge);
  });

  test("a knock links the knocker with the listener, and each learns the other's address", () => {
    const crowd = new Crowd();
    const listener = crowd.connect("192.0.2.1");
    listener.register(KEY);
    expect(listener.take("registered").room).toBe(KEY.room);
    const knocker = crowd.connect("198.51.100.9");
    knocker.knock(KEY.room);
    expect(knocker.messages).toEqual([{ type: "linked", room: KEY.room, link: 0, observed: listener.observed }]);
    expect(listener.messages).toEqual([{ type: "knocked", link: 0, observed: knocker.observed }]);
  });

  test("frames go along their link, both ways, under the number that each side has for it", () => {
    const crowd = new Crowd();
    const listener = crowd.listener(KEY);
    const [first, second] = [crowd.connect(), crowd.connect()];
    const [a, atListener] = first.link(listener, KEY.room);
    const [b, secondAtListener] = second.link(listener, KEY.room);
    expect([a, b, atListener, secondAtListener]).toEqual([0, 0, 0, 1]);
    first.frame(a, "one");
    second.frame(b, "two");
    listener.frame(atListener, "three");
    listener.frame(secondAtListener, "four");
    expect(listener.frames).toEqual([
      { link: 0, data: "one" },
      { link: 1, data: "two" },
    ]);
    expect([first.frames, second.frames]).toEqual([[{ link: 0, data: "three" }], [{ link: 0, data: "four" }]]);
    expect(crowd.server.counters.forwarded).toEqual({ frames: 4, bytes: 15 });
  });

  test("what was sent is not kept: its memory may be reused", () => {
    const crowd = new Crowd();
    const listener = crowd.listener(KEY);
    const knocker = crowd.connect();
    knocker.link(listener, KEY.room);
    const bytes = Buffer.from("\0\0\0\0data");
    const [output] = crowd.server.handle(0, { type: "binary", client: knocker.id, bytes });
    bytes.fill(0x78);
    expect(output).toMatchObject({ client: listener.id, data: Buffer.from("\0\0\0\0data") });
  });

  test.each([0, 1] as const)("either side ends a link; the other is told", (side) => {
    const crowd = new Crowd();
    const listener = crowd.listener(KEY);
    const knocker = crowd.connect();
    const numbers = knocker.link(listener, KEY.room);
    const [ender, other] = side === 0 ? [knocker, listener] : [listener, knocker];
    ender.say({ type: "unlink", link: numbers[side] });
    expect(ender.messages).toEqual([]);
    expect(other.messages).toEqual([{ type: "unlinked", link: numbers[1 - side], reason: "left" }]);
    // Both may have been sent before the news came: nothing happens, but for a count.
    other.frame(numbers[1 - side] ?? 0, "late");
    other.say({ type: "unlink", link: numbers[1 - side] ?? 0 });
    expect([ender.frames, ender.messages, other.closed]).toEqual([[], [], undefined]);
    expect(crowd.server.counters.droppedFrames).toBe(1);
    expect(crowd.server.size).toEqual({ clients: 2, rooms: 1, links: 0 });
  });

  test("the number of a link is not used again: a late frame must not reach the next one", () => {
    const crowd = new Crowd();
    const listener = crowd.listener(KEY);
    const knocker = crowd.connect();
    const [old] = knocker.link(listener, KEY.room);
    knocker.say({ type: "unlink", link: old });
    listener.take("unlinked");
    expect(knocker.link(listener, KEY.room)).toEqual([1, 1]);
  });

  test("when a side is gone, its links are", () => {
    const crowd = new Crowd();
    const listener = crowd.listener(KEY);
    const [first, second] = [crowd.connect(), crowd.connect()];
    const [, atListener] = first.link(listener, KEY.room);
    second.link(listener, KEY.room);
    first.leave();
    expect(listener.messages).toEqual([{ type: "unlinked", link: atListener, reason: "gone" }]);
    listener.leave();
    expect(second.messages).toEqual([{ type: "unlinked", link: 0, reason: "gone" }]);
    second.knock(KEY.room);
    expect(second.messages[1]).toMatchObject({ type: "error", code: "no-such-room", room: KEY.room });
    second.leave();
    expect(crowd.server.isEmpty).toBe(true);
  });

  test("a listener may knock elsewhere, but not at its own room", () => {
    const crowd = new Crowd();
    const [one, two] = [crowd.listener(KEY), crowd.listener(OTHER)];
    expect(one.link(two, OTHER.room)).toEqual([0, 0]);
    one.knock(KEY.room);
    expect(one.take("error").code).toBe("own-room");
    expect(one.closed).toBeUndefined();
  });

  test("a message of a newer protocol is refused without breaking up; one of another version is not", () => {
    const crowd = new Crowd();
    const client = crowd.connect();
    client.sayText('{"type":"dance"}');
    expect([client.take("error").code, client.closed]).toEqual(["unknown-type", undefined]);
    client.sayText(`{"type":"knock","version":2,"room":"${KEY.room}"}`);
    expect([client.take("error").code, client.closed]).toEqual(["other-version", { code: 1002, reason: "other-version" }]);
  });

  test.each([
    ["{", undefined],
    ['{"type":"knock"}', undefined],
    [undefined, Buffer.alloc(4)],
    [undefined, Buffer.alloc(0)],
  ])("%j %j is no message: the connection ends", (text, bytes) => {
    const crowd = new Crowd();
    const client = crowd.connect();
    if (text !== undefined) client.sayText(text);
    if (bytes) client.sayBytes(bytes);
    expect([client.take("error").code, client.closed]).toEqual(["bad-message", { code: 1002, reason: "bad-message" }]);
    // It is not heard any more, and its place is free when its connection has ended.
    client.knock(KEY.room);
    expect([client.messages, crowd.server.size.clients]).toEqual([[], 1]);
    client.leave();
    expect(crowd.server.isEmpty).toBe(true);
  });
});

describe("nobody can squat a room", () => {
  const refused = { code: 1008, reason: "bad-signature" };

  test("with a signature by another key", () => {
    const client = new Crowd().connect();
    client.register({ ...KEY, sign: OTHER.sign });
    expect([client.take("error").code, client.closed]).toEqual(["bad-signature", refused]);
  });

  test("with a signature that the key gave for another room", () => {
    const crowd = new Crowd();
    const client = crowd.connect();
    client.register({ ...KEY, sign: () => KEY.sign(registrationPayload(client.challenge, roomOf(OTHER.key))) });
    expect([client.take("error").code, client.closed]).toEqual(["bad-signature", refused]);
    expect(crowd.server.size.rooms).toBe(0);
  });

  test("with a registration replayed from another connection", () => {
    const crowd = new Crowd();
    const replayed = KEY.sign(registrationPayload(crowd.connect().challenge, KEY.room));
    const client = crowd.connect();
    client.register({ ...KEY, sign: () => replayed });
    expect([client.take("error").code, client.closed]).toEqual(["bad-signature", refused]);
  });

  test("with a challenge that is used up", () => {
    const crowd = new Crowd();
    const client = crowd.listener(KEY);
    client.register(KEY);
    client.register(OTHER);
    expect([client.take("error").code, client.take("error").code, client.closed]).toEqual([
      "already-registered",
      "already-registered",
      undefined,
    ]);
    expect(crowd.server.size.rooms).toBe(1);
  });

  test("an attempt does not disturb who has the room", () => {
    const crowd = new Crowd();
    const listener = crowd.listener(KEY);
    crowd.connect().register({ ...KEY, sign: OTHER.sign });
    expect(crowd.connect().link(listener, KEY.room)).toEqual([0, 0]);
  });
});

test("a listener that comes back replaces its old connection, whose links end", () => {
  const crowd = new Crowd();
  const old = crowd.listener(KEY);
  const knocker = crowd.connect();
  knocker.link(old, KEY.room);
  const back = crowd.listener(KEY);
  expect([old.take("error").code, old.closed]).toEqual(["replaced", { code: 1008, reason: "replaced" }]);
  expect(knocker.take("unlinked").reason).toBe("gone");
  expect(knocker.link(back, KEY.room)).toEqual([1, 0]);
  old.leave();
  expect(crowd.server.size).toEqual({ clients: 2, rooms: 1, links: 1 });
});

describe("at the end of the process", () => {
  test("clients are told; those without links go at once, the others when they have finished", () => {
    const crowd = new Crowd();
    const [idle, listener, knocker] = [crowd.listener(OTHER), crowd.listener(KEY), crowd.connect()];
    const [link, atListener] = knocker.link(listener, KEY.room);
    crowd.feed({ type: "drain" });
    for (const guest of [idle, listener, knocker]) guest.take("draining");
    const gone = { code: 1001, reason: "draining" };
    expect([idle.closed, listener.closed, knocker.closed]).toEqual([gone, undefined, undefined]);
    knocker.frame(link, "bye");
    expect(listener.frames).toEqual([{ link: atListener, data: "bye" }]);
    knocker.knock(OTHER.room);
    expect([knocker.take("error").code, knocker.closed]).toEqual(["draining", undefined]);
    knocker.say({ type: "unlink", link });
    expect([listener.closed, knocker.closed]).toEqual([gone, gone]);
  });

  test("nobody is let in, and nobody registers", () => {
    const crowd = new Crowd();
    const [listener, knocker] = [crowd.listener(KEY), crowd.connect()];
    knocker.link(listener, KEY.room);
    crowd.feed({ type: "drain" });
    knocker.take("draining");
    knocker.register(OTHER);
    expect(knocker.take("error").code).toBe("draining");
    const late = crowd.connect();
    expect([late.take("error").code, late.closed]).toEqual(["draining", { code: 1001, reason: "draining" }]);
    expect(crowd.server.size).toEqual({ clients: 2, rooms: 1, links: 1 });
  });
});
