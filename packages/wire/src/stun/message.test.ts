import { describe, expect, test } from "vitest";
import type { AttributeValue } from "./attribute.js";
import {
  ChangedAddress,
  ChangeRequest,
  Fingerprint,
  Lifetime,
  MappedAddress,
  MessageIntegrity,
  MessageIntegritySha256,
  Priority,
  Software,
  SourceAddress,
  UnknownAttributes,
  UseCandidate,
  Username,
  XorMappedAddress,
  XorPeerAddress,
} from "./attributes.js";
import { encodeMessage, type MessageFields } from "./encode.js";
import { type IntegrityAlgorithm, shortTermKey, verifyIntegrity } from "./integrity.js";
import { decodeMessage, StunMessage } from "./message.js";

const transactionId = Buffer.from("b7e7a701bc34d686fa87dfae", "hex");
const key = shortTermKey("secret");
const peer = (port: number) => XorPeerAddress.of({ address: "127.0.0.1", port });

const encode = (fields: Partial<MessageFields>) => encodeMessage({ method: 1, class: "request", transactionId, ...fields });

function decoded(bytes: Uint8Array): StunMessage {
  const message = decodeMessage(bytes);
  if (!(message instanceof StunMessage)) throw new Error(message);
  return message;
}

/** The message with more attributes behind it, as somebody on the path would add them. */
function append(message: Buffer, attributes: Buffer): Buffer {
  const longer = Buffer.concat([message, attributes]);
  longer.writeUInt16BE(longer.length - 20, 2);
  return longer;
}

const raw = (type: number, value: Uint8Array) => {
  const bytes = Buffer.alloc(4 + ((value.length + 3) & ~3));
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  bytes.set(value, 4);
  return bytes;
};

const asBytes = (...attributes: AttributeValue[]) => encode({ attributes }).subarray(20);

describe("what is no STUN message", () => {
  const binding = encode({ attributes: [Software.of("awl")] });
  const withByte = (at: number, value: number) => Buffer.from(binding).fill(value, at, at + 1);

  test.each([
    ["too-short", Buffer.alloc(0)],
    ["too-short", binding.subarray(0, 19)],
    ["not-stun", withByte(0, 0x40)],
    ["not-stun", withByte(0, 0x80)],
    ["not-stun", withByte(0, 0xff)],
    ["bad-length", withByte(3, 4)],
    ["bad-length", withByte(3, 12)],
    ["bad-length", withByte(2, 0xff)],
    ["bad-length", Buffer.concat([binding, Buffer.alloc(4)])],
    ["bad-length", append(binding, Buffer.alloc(2))],
    ["attribute-overrun", withByte(23, 5)],
    ["attribute-overrun", withByte(22, 0xff)],
    ["bad-attribute", append(binding, raw(Priority.type, Buffer.alloc(3)))],
    ["bad-attribute", append(binding, raw(XorMappedAddress.type, Buffer.alloc(8)))],
    ["bad-fingerprint", append(binding, raw(Fingerprint.type, Buffer.alloc(4)))],
    ["fingerprint-not-last", append(encode({ fingerprint: true }), asBytes(Software.of("awl")))],
    ["fingerprint-not-last", append(encode({ fingerprint: true }), raw(Fingerprint.type, Buffer.alloc(4)))],
    ["too-many-attributes", encode({ attributes: Array.from({ length: 129 }, () => UseCandidate.of(true)) })],
  ] as const)("%s", (fault, bytes) => {
    expect(decodeMessage(bytes)).toBe(fault);
  });

  test("128 attributes are still honest", () => {
    const message = decoded(encode({ attributes: Array.from({ length: 128 }, (_, port) => peer(port)) }));
    expect(message.all(XorPeerAddress)).toHaveLength(128);
  });
});

test("padding may be any bytes, as RFC 5769's spaces are", () => {
  const bytes = encode({ attributes: [Software.of("abcde"), Username.of("ada")] });
  bytes.fill(0xee, 29, 32);
  expect(decoded(bytes).get(Software)).toBe("abcde");
  expect(decoded(bytes).get(Username)).toBe("ada");
});

test("reads any Uint8Array, from the middle of its memory", () => {
  const bytes = encode({ attributes: [Software.of("awl")], fingerprint: true });
  const memory = new Uint8Array(200).fill(0xee);
  memory.set(bytes, 33);
  expect(decoded(memory.subarray(33, 33 + bytes.length)).get(Software)).toBe("awl");
});

describe("of duplicates", () => {
  const message = decoded(encode({ attributes: [peer(1), Software.of("first"), peer(2), Software.of("second"), peer(3)] }));

  test("the first counts", () => {
    expect(message.get(Software)).toBe("first");
    expect(message.get(XorPeerAddress)).toEqual({ address: "127.0.0.1", port: 1 });
  });

  test("all can be had, where the type may be repeated", () => {
    expect(message.all(XorPeerAddress).map(({ port }) => port)).toEqual([1, 2, 3]);
    expect(message.all(Lifetime)).toEqual([]);
  });
});

// The incident: a server that checked the HMAC and then acted on what stood behind it.
describe.each<[IntegrityAlgorithm]>([["sha1"], ["sha256"]])("attributes behind %s integrity", (algorithm) => {
  const signed = encode({ method: 8, attributes: [Username.of("ada")], integrity: [{ algorithm, key }] });

  test("are not seen, and the message still verifies", () => {
    const message = decoded(append(signed, asBytes(peer(6379), Username.of("eve"))));
    expect(message.get(XorPeerAddress)).toBeUndefined();
    expect(message.has(XorPeerAddress)).toBe(false);
    expect(message.all(XorPeerAddress)).toEqual([]);
    expect(message.all(Username)).toEqual(["ada"]);
    expect(verifyIntegrity(message, algorithm, key)).toBe(true);
  });

  test("are not complained of: neither unknown nor malformed ones", () => {
    const message = decoded(append(signed, Buffer.concat([raw(0x7fff, Buffer.alloc(1)), raw(Priority.type, Buffer.alloc(1))])));
    expect(message.unknownRequired).toEqual([]);
  });

  test("do not replace the integrity", () => {
    const again = encode({ method: 8, attributes: [Username.of("ada")], integrity: [{ algorithm, key: shortTermKey("other") }] });
    const message = decoded(append(signed, again.subarray(28)));
    expect(verifyIntegrity(message, algorithm, key)).toBe(true);
    expect(verifyIntegrity(message, algorithm, shortTermKey("other"))).toBe(false);
    expect(message.all(MessageIntegrity).length + message.all(MessageIntegritySha256).length).toBe(1);
  });

  test("FINGERPRINT is seen and checked there", () => {
    const wrong = append(signed, raw(Fingerprint.type, Buffer.alloc(4)));
    expect(decodeMessage(wrong)).toBe("bad-fingerprint");
    const message = decoded(encode({ attributes: [peer(1)], integrity: [{ algorithm, key }], fingerprint: true }));
    expect(message.has(Fingerprint)).toBe(true);
    expect(message.has(XorPeerAddress)).toBe(true);
  });
});

test("MESSAGE-INTEGRITY-SHA256 is seen behind MESSAGE-INTEGRITY, even past a smuggled attribute; not the other way round", () => {
  const sha1 = encode({ integrity: [{ algorithm: "sha1", key }] });
  const sha256 = encode({ integrity: [{ algorithm: "sha256", key }] });
  const strengthened = decoded(append(append(sha1, asBytes(peer(1))), sha256.subarray(20)));
  expect(strengthened.has(MessageIntegritySha256)).toBe(true);
  expect(strengthened.has(XorPeerAddress)).toBe(false);
  const weakened = decoded(append(sha256, sha1.subarray(20)));
  expect(weakened.has(MessageIntegrity)).toBe(false);
  expect(weakened.has(MessageIntegritySha256)).toBe(true);
});

describe("RFC 3489, without the cookie", () => {
  const id = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");
  const response = Buffer.concat([
    Buffer.from("01010024", "hex"),
    id,
    Buffer.from("000100080001d8b0cb007105", "hex"),
    Buffer.from("0004000800010d96c6336401", "hex"),
    Buffer.from("0005000800010d97c6336402", "hex"),
  ]);

  test("is read, with its own names for addresses", () => {
    const message = decoded(response);
    expect(message).toMatchObject({ method: 1, class: "success", classic: true });
    expect(message.transactionId).toEqual(id);
    expect(message.get(MappedAddress)).toEqual({ address: "203.0.113.5", port: 55472 });
    expect(message.get(SourceAddress)).toEqual({ address: "198.51.100.1", port: 3478 });
    expect(message.get(ChangedAddress)).toEqual({ address: "198.51.100.2", port: 3479 });
    expect(message.get(XorMappedAddress)).toBeUndefined();
  });

  test("is written for a 16-byte transaction id", () => {
    const at = (address: string, port: number) => ({ address, port });
    const attributes = [
      MappedAddress.of(at("203.0.113.5", 55472)),
      SourceAddress.of(at("198.51.100.1", 3478)),
      ChangedAddress.of(at("198.51.100.2", 3479)),
    ];
    expect(encode({ class: "success", transactionId: id, attributes })).toEqual(response);
    const request = decoded(encode({ transactionId: id, attributes: [ChangeRequest.of({ ip: true, port: false })] }));
    expect(request.get(ChangeRequest)).toEqual({ ip: true, port: false });
  });
});

test("420: unknown comprehension-required attributes are named, in order; optional ones are passed over", () => {
  const unknown = [raw(0x001b, Buffer.alloc(3)), raw(0x8030, Buffer.alloc(8)), raw(0x7fff, Buffer.alloc(0)), raw(0xc057, Buffer.alloc(4))];
  const message = decoded(append(encode({ attributes: [Software.of("awl")] }), Buffer.concat([...unknown, asBytes(Username.of("ada"))])));
  expect(message.unknownRequired).toEqual([0x001b, 0x7fff]);
  expect(message.get(Username)).toBe("ada");
  const answer = decoded(encode({ class: "error", attributes: [UnknownAttributes.of(message.unknownRequired)] }));
  expect(answer.get(UnknownAttributes)).toEqual([0x001b, 0x7fff]);
});
