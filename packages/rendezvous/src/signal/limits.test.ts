import { encodeSignalFrame } from "@awl/wire";
import { describe, expect, test } from "vitest";
import { Crowd, type Guest, makeKey } from "./crowd.test-support.js";

const KEY = makeKey();
const OTHER = makeKey();

/** It was told why, and the connection ends. */
function expectExpelled(guest: Guest, code: string, closeCode = 1008): void {
  expect([guest.take("error").code, guest.closed]).toEqual([code, { code: closeCode, reason: code }]);
}

/** It was told why, and goes on. */
function expectRefused(guest: Guest, code: string): void {
  expect([guest.take("error").code, guest.closed]).toEqual([code, undefined]);
}

describe("connections", () => {
  test("in all", () => {
    const crowd = new Crowd({ clients: 2 });
    const [first] = [crowd.connect(), crowd.connect()];
    expectExpelled(crowd.connect(), "too-many-clients", 1013);
    first.leave();
    expect(crowd.connect().closed).toBeUndefined();
  });

  test("from one address, or one /56", () => {
    const crowd = new Crowd({ clientsPerAddress: 1 });
    crowd.connect("192.0.2.1");
    expectExpelled(crowd.connect("192.0.2.1"), "too-many-clients-of-address", 1013);
    expect(crowd.connect("192.0.2.2").closed).toBeUndefined();
    const site = crowd.connect("2001:db8:0:ff::1");
    expectExpelled(crowd.connect("2001:db8:0:1::2"), "too-many-clients-of-address", 1013);
    expect(crowd.connect("2001:db8:0:100::1").closed).toBeUndefined();
    site.leave();
    expect(crowd.connect("2001:db8:0:1::2").closed).toBeUndefined();
  });

  test("whose end was told, but has not come, count", () => {
    const crowd = new Crowd({ clients: 1 });
    const first = crowd.connect();
    first.sayText("");
    expectExpelled(crowd.connect(), "too-many-clients", 1013);
    first.leave();
    expect(crowd.connect().closed).toBeUndefined();
  });
});

describe("rooms and links", () => {
  test("rooms in all; coming back is no second one", () => {
    const crowd = new Crowd({ rooms: 1 });
    crowd.listener(KEY);
    const second = crowd.connect();
    second.register(OTHER);
    expectExpelled(second, "too-many-rooms", 1013);
    crowd.listener(KEY);
    expect(crowd.server.size.rooms).toBe(1);
  });

  test("of one room", () => {
    const crowd = new Crowd({ linksPerRoom: 2 });
    const listener = crowd.listener(KEY);
    const [first, second, third] = [crowd.connect(), crowd.connect(), crowd.connect()];
    const [link] = first.link(listener, KEY.room);
    second.link(listener, KEY.room);
    third.knock(KEY.room);
    expectRefused(third, "room-full");
    first.say({ type: "unlink", link });
    listener.take("unlinked");
    third.link(listener, KEY.room);
  });

  test("of one room with one address", () => {
    const crowd = new Crowd({ linksPerRoomAndAddress: 1 });
    const listener = crowd.listener(KEY);
    const first = crowd.connect("192.0.2.7");
    const [link] = first.link(listener, KEY.room);
    const second = crowd.connect("192.0.2.7");
    second.knock(KEY.room);
    expectRefused(second, "room-full");
    crowd.connect("192.0.2.8").link(listener, KEY.room);
    second.link(crowd.listener(OTHER), OTHER.room);
    first.say({ type: "unlink", link });
    listener.take("unlinked");
    second.link(listener, KEY.room);
  });

  test("that one connection knocked for; those that came to its room are not its doing", () => {
    const crowd = new Crowd({ linksPerClient: 1 });
    const [one, two] = [crowd.listener(KEY), crowd.listener(OTHER)];
    crowd.connect().link(one, KEY.room);
    crowd.connect().link(one, KEY.room);
    const [link] = one.link(two, OTHER.room);
    one.knock(OTHER.room);
    expectRefused(one, "too-many-links");
    one.say({ type: "unlink", link });
    two.take("unlinked");
    one.link(two, OTHER.room);
  });

  test("that a listener knocked for take no place in its room", () => {
    const crowd = new Crowd({ linksPerRoom: 1 });
    const [one, two] = [crowd.listener(KEY), crowd.listener(OTHER)];
    one.link(two, OTHER.room);
    crowd.connect().link(one, KEY.room);
  });

  test("knocks at one room a second", () => {
    const crowd = new Crowd({ knockBurst: 2, knockRate: 1 });
    const listener = crowd.listener(KEY);
    const knocker = crowd.connect();
    knocker.link(listener, KEY.room);
    knocker.link(listener, KEY.room);
    knocker.knock(KEY.room);
    expectRefused(knocker, "room-busy");
    crowd.pass(1000);
    knocker.link(listener, KEY.room);
  });
});

describe("what a connection sends", () => {
  test("the length of a message", () => {
    const crowd = new Crowd({ messageBytes: 100 });
    const [text, bytes] = [crowd.connect(), crowd.connect()];
    text.sayText("ä".repeat(51));
    expectExpelled(text, "too-large", 1009);
    bytes.sayBytes(Buffer.alloc(100));
    expect(bytes.closed).toBeUndefined();
    bytes.sayBytes(Buffer.alloc(101));
    expectExpelled(bytes, "too-large", 1009);
  });

  test("messages a second, pings included", () => {
    const crowd = new Crowd({ messageBurst: 3, messageRate: 10 });
    const client = crowd.connect();
    for (let i = 0; i < 2; i++) client.frame(0, "x");
    crowd.feed({ type: "control", client: client.id, bytes: 0 });
    crowd.pass(100);
    client.frame(0, "x");
    expect(client.closed).toBeUndefined();
    crowd.feed({ type: "control", client: client.id, bytes: 0 });
    expectExpelled(client, "too-fast");
  });

  test("bytes a second", () => {
    const crowd = new Crowd({ byteBurst: 100, byteRate: 10 });
    const client = crowd.connect();
    client.sayBytes(Buffer.alloc(95));
    crowd.pass(1000);
    client.sayBytes(Buffer.alloc(15));
    expect(client.closed).toBeUndefined();
    client.sayBytes(Buffer.alloc(5));
    expectExpelled(client, "too-much");
  });
});

describe("what a connection does not read", () => {
  test("too many bytes wait: it is closed", () => {
    const crowd = new Crowd({ waitingBytes: 1000 });
    const client = crowd.connect();
    crowd.feed({ type: "waiting", client: client.id, bytes: 1000 });
    expect(client.closed).toBeUndefined();
    crowd.feed({ type: "waiting", client: client.id, bytes: 1001 });
    expectExpelled(client, "slow-reader");
  });

  test("before that, who sends it more loses the link, and the listener keeps its room", () => {
    const crowd = new Crowd({ frameWaitingBytes: 500, waitingBytes: 1000 });
    const listener = crowd.listener(KEY);
    const [flooder, other] = [crowd.connect(), crowd.connect()];
    const [link] = flooder.link(listener, KEY.room);
    other.link(listener, KEY.room);
    crowd.feed({ type: "waiting", client: listener.id, bytes: 501 });
    flooder.frame(link, "x");
    expect([listener.frames, listener.closed]).toEqual([[], undefined]);
    expect(flooder.take("unlinked").reason).toBe("congested");
    expect(listener.take("unlinked").reason).toBe("congested");
    crowd.feed({ type: "waiting", client: listener.id, bytes: 0 });
    flooder.link(listener, KEY.room);
    expect(crowd.server.size.links).toBe(2);
  });
});

describe("time", () => {
  test("to register or knock", () => {
    const crowd = new Crowd({ handshakeMs: 1000 });
    const [silent, refused, settled] = [crowd.connect(), crowd.connect(), crowd.listener(KEY)];
    crowd.pass(999);
    refused.knock(OTHER.room);
    refused.take("error");
    expect(silent.closed).toBeUndefined();
    crowd.pass(1);
    expectExpelled(silent, "handshake-timeout");
    expectExpelled(refused, "handshake-timeout");
    crowd.pass(1e9);
    expect(settled.closed).toBeUndefined();
  });

  test("without room and link", () => {
    const crowd = new Crowd({ handshakeMs: 1000, idleMs: 5000 });
    const listener = crowd.listener(KEY);
    const knocker = crowd.connect();
    const [first] = knocker.link(listener, KEY.room);
    crowd.pass(10_000);
    expect(knocker.closed).toBeUndefined();
    knocker.say({ type: "unlink", link: first });
    listener.take("unlinked");
    crowd.pass(4000);
    const [second] = knocker.link(listener, KEY.room);
    crowd.pass(5000);
    knocker.say({ type: "unlink", link: second });
    crowd.pass(4999);
    expect(knocker.closed).toBeUndefined();
    crowd.pass(1);
    expectExpelled(knocker, "idle");
    expect(listener.closed).toBeUndefined();
  });

  test("without a frame on a link", () => {
    const crowd = new Crowd({ linkIdleMs: 1000, idleMs: 500 });
    const listener = crowd.listener(KEY);
    const [quiet, busy] = [crowd.connect(), crowd.connect()];
    quiet.link(listener, KEY.room);
    const [link, atListener] = busy.link(listener, KEY.room);
    for (let i = 0; i < 4; i++) {
      crowd.pass(300);
      if (i % 2 === 0) busy.frame(link, "x");
      else listener.frame(atListener, "y");
    }
    expect(quiet.take("unlinked").reason).toBe("idle");
    expect(listener.messages).toEqual([{ type: "unlinked", link: 0, reason: "idle" }]);
    expect(busy.messages).toEqual([]);
    crowd.pass(500);
    expectExpelled(quiet, "idle");
  });

  test("a tick too early does nothing but ask for another", () => {
    const crowd = new Crowd({ handshakeMs: 1000 });
    crowd.connect();
    expect(crowd.server.handle(10, { type: "tick" })).toEqual([{ type: "wake", at: 1000 }]);
  });
});

test("every error is counted under its code", () => {
  const crowd = new Crowd();
  crowd.connect().sayText("");
  crowd.connect().knock(KEY.room);
  const { errors } = crowd.server.counters;
  expect([errors["bad-message"], errors["no-such-room"]]).toEqual([1, 1]);
});

test("a frame as long as may be passes", () => {
  const crowd = new Crowd();
  const listener = crowd.listener(KEY);
  const knocker = crowd.connect();
  const [link] = knocker.link(listener, KEY.room);
  knocker.sayBytes(encodeSignalFrame(link, Buffer.alloc(16_384)));
  expect(listener.frames[0]?.data).toHaveLength(16_384);
});
