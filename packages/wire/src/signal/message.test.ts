import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeClientMessage,
  decodeServerMessage,
  encodeClientMessage,
  encodeServerMessage,
  type SignalClientMessage,
  type SignalServerMessage,
} from "./message.js";
import { roomOf } from "./room.js";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array));
const room = bytes(32).map(roomOf);
const link = fc.nat(0xffff_ffff);
const observed = fc.record({ address: fc.constantFrom("192.0.2.1", "2001:db8::1", "255.255.255.255", "::"), port: fc.nat(0xffff) });

const clientMessages: fc.Arbitrary<SignalClientMessage> = fc.oneof(
  fc.record({ type: fc.constant("register" as const), version: fc.constant(1 as const), key: bytes(32), signature: bytes(64) }),
  fc.record({ type: fc.constant("knock" as const), version: fc.constant(1 as const), room }),
  fc.record({ type: fc.constant("unlink" as const), link }),
  fc.record({ type: fc.constant("admit" as const), link }),
);
const relay = fc.record(
  {
    uris: fc.subarray(["turn:203.0.113.1:3478", "turns:relay.example?transport=tcp"], { minLength: 1 }),
    username: fc.constant("1767225600:~AbC"),
    password: fc.constant("c2VjcmV0"),
    realm: fc.constant("awl"),
    nonce: fc.constant("obMatJos2"),
  },
  { requiredKeys: ["uris", "username", "password"] },
);
const serverMessages: fc.Arbitrary<SignalServerMessage> = fc.oneof(
  fc.record({
    type: fc.constant("welcome" as const),
    version: fc.constant(1 as const),
    challenge: bytes(32),
    observed,
    stun: fc.integer({ min: 1, max: 0xffff }),
    addresses: fc.subarray(["192.0.2.1", "2001:db8::1"]),
  }),
  fc.record({ type: fc.constant("registered" as const), room }),
  fc.record({ type: fc.constant("linked" as const), room, link, observed }),
  fc.record({ type: fc.constant("knocked" as const), link, observed }),
  fc.record({ type: fc.constant("unlinked" as const), link, reason: fc.constantFrom("left", "gone", "something-new") }),
  fc.record({ type: fc.constant("relay" as const), link, relays: fc.array(relay, { maxLength: 4 }), seconds: fc.nat() }),
  fc.record({ type: fc.constant("error" as const), code: fc.constantFrom("room-full", "something-new"), text: fc.constant("Größe: 3") }),
  fc.record({ type: fc.constant("error" as const), code: fc.constant("no-such-room"), text: fc.constant(""), room }),
  fc.record({ type: fc.constant("draining" as const) }),
);

describe("every message comes back as it was", () => {
  test("a client's", () => {
    fc.assert(
      fc.property(clientMessages, (message) => {
        expect(decodeClientMessage(encodeClientMessage(message))).toEqual(message);
      }),
    );
  });

  test("the server's", () => {
    fc.assert(
      fc.property(serverMessages, (message) => {
        expect(decodeServerMessage(encodeServerMessage(message))).toEqual(message);
      }),
    );
  });
});

describe("on the wire", () => {
  const ROOM = roomOf(Buffer.alloc(32));

  test("messages are JSON, and bytes base64url without padding", () => {
    const key = Buffer.alloc(32, 0xfb);
    const signature = Buffer.alloc(64, 0xff);
    expect(JSON.parse(encodeClientMessage({ type: "register", version: 1, key, signature }))).toEqual({
      type: "register",
      version: 1,
      key: "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s",
      signature: `${"_".repeat(85)}w`,
    });
  });

  test("fields that are not known are ignored: a newer side's", () => {
    const json = JSON.stringify({ type: "knock", version: 1, room: ROOM, colour: "red" });
    expect(decodeClientMessage(json)).toEqual({ type: "knock", version: 1, room: ROOM });
  });

  const WELCOME = {
    type: "welcome",
    version: 1,
    challenge: "A".repeat(43),
    observed: { address: "192.0.2.1", port: 1 },
    stun: 3478,
    addresses: [],
  };

  test.each([
    ["", "not-json"],
    ["{", "not-json"],
    ["null", "bad-message"],
    ["[]", "bad-message"],
    ['"welcome"', "bad-message"],
    ["{}", "bad-message"],
    ['{"type":7}', "bad-message"],
    ['{"type":"welcome"}', "bad-message"],
    ['{"type":"hello"}', "unknown-type"],
    ['{"type":"toString"}', "unknown-type"],
    ['{"type":"__proto__"}', "unknown-type"],
    ['{"type":"welcome","version":2}', "other-version"],
    ['{"type":"hello","version":2}', "other-version"],
    [JSON.stringify({ ...WELCOME, challenge: "A".repeat(42) }), "bad-message"],
    [JSON.stringify({ ...WELCOME, challenge: `${"A".repeat(42)}B` }), "bad-message"],
    [JSON.stringify({ ...WELCOME, challenge: `${"A".repeat(43)}=` }), "bad-message"],
    [JSON.stringify({ ...WELCOME, stun: 0 }), "bad-message"],
    [JSON.stringify({ type: "relay", link: 0, seconds: 1, relays: [{ uris: ["turn:h"], username: "a b", password: "c" }] }), "bad-message"],
    [JSON.stringify({ type: "relay", link: 0, seconds: 1, relays: [{ uris: [], username: "a", password: "b" }] }), "bad-message"],
    [JSON.stringify({ ...WELCOME, addresses: ["::0001"] }), "bad-message"],
    [JSON.stringify({ ...WELCOME, addresses: ["::1", "::2", "::3"] }), "bad-message"],
    [JSON.stringify({ ...WELCOME, stun: 1.5 }), "bad-message"],
    [JSON.stringify({ ...WELCOME, observed: { address: "192.0.2.01", port: 1 } }), "bad-message"],
    [JSON.stringify({ ...WELCOME, observed: { address: "::ffff:1.2.3.4", port: 1 } }), "bad-message"],
    [JSON.stringify({ ...WELCOME, observed: { address: "a.example", port: 1 } }), "bad-message"],
    ['{"type":"error","code":"Bad Code","text":""}', "bad-message"],
    ['{"type":"error","code":"x","text":"\\u001b[2J"}', "bad-message"],
    ['{"type":"error","code":"x","text":"\\u202e"}', "bad-message"],
    [`{"type":"error","code":"x","text":"${"y".repeat(301)}"}`, "bad-message"],
    ['{"type":"unlinked","link":-1,"reason":"left"}', "bad-message"],
    ['{"type":"unlinked","link":4294967296,"reason":"left"}', "bad-message"],
    ['{"type":"knock","version":1,"room":"x"}', "unknown-type"],
  ])("the server's %s is refused: %s", (json, fault) => {
    expect(decodeServerMessage(json)).toBe(fault);
  });

  test.each([
    [`{"type":"knock","room":"${ROOM}"}`, "bad-message"],
    [`{"type":"knock","version":"1","room":"${ROOM}"}`, "bad-message"],
    [`{"type":"knock","version":3,"room":"${ROOM}"}`, "other-version"],
    [`{"type":"knock","version":1,"room":"${ROOM.slice(1)}"}`, "bad-message"],
    [`{"type":"knock","version":1,"room":"${ROOM.slice(1)}/"}`, "bad-message"],
    ['{"type":"register","version":1,"key":"","signature":""}', "bad-message"],
    ['{"type":"welcome"}', "unknown-type"],
  ])("a client's %s is refused: %s", (json, fault) => {
    expect(decodeClientMessage(json)).toBe(fault);
  });
});

describe("hostile text never throws", () => {
  const FAULTS = ["not-json", "bad-message", "unknown-type", "other-version"];
  const decoders = [decodeClientMessage, decodeServerMessage];
  const mutated = fc
    .tuple(fc.oneof(clientMessages.map(encodeClientMessage), serverMessages.map(encodeServerMessage)), fc.nat(), fc.nat(3), fc.string())
    .map(([json, at, cut, inserted]) => {
      const place = at % json.length;
      return json.slice(0, place) + inserted + json.slice(place + cut);
    });
  const shaped = fc
    .record(
      {
        type: fc.constantFrom("register", "knock", "unlink", "welcome", "linked", "error", "x"),
        version: fc.oneof(fc.constant(1), fc.jsonValue()),
        room: fc.jsonValue(),
        key: fc.jsonValue(),
        link: fc.jsonValue(),
        observed: fc.jsonValue(),
      },
      { requiredKeys: ["type"] },
    )
    .map((value) => JSON.stringify(value));

  test.each([
    ["any", fc.string({ unit: "binary" })],
    ["JSON", fc.json()],
    ["of the right shape", shaped],
    ["of an altered message", mutated],
  ])("%s", (_name, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const decode of decoders) {
          const message = decode(text);
          if (typeof message === "string") expect(FAULTS).toContain(message);
          else expect(typeof message.type).toBe("string");
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("deeply nested", () => {
    const text = `${'{"type":'.repeat(8000)}1${"}".repeat(8000)}`;
    for (const decode of decoders) expect(decode(text)).toBe("bad-message");
    for (const decode of decoders) expect(decode("[".repeat(16_000))).toBe("not-json");
  });
});
