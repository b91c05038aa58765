import { createHash, createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  Fingerprint,
  IceControlled,
  MessageIntegritySha256,
  Nonce,
  PasswordAlgorithm,
  Priority,
  Realm,
  Software,
  Userhash,
  Username,
  XorMappedAddress,
} from "./attributes.js";
import { encodeMessage } from "./encode.js";
import { longTermKey, shortTermKey, verifyIntegrity } from "./integrity.js";
import { decodeMessage, StunMessage } from "./message.js";
import { ICE_PASSWORD, LONG_TERM, rfc5769, rfc8489 } from "./vectors.test-support.js";

const iceKey = shortTermKey(ICE_PASSWORD);
const md5Key = longTermKey(LONG_TERM.username, LONG_TERM.realm, LONG_TERM.password);
const sha256Key = longTermKey(LONG_TERM.username, LONG_TERM.realm, LONG_TERM.password, "sha256");

function decoded(bytes: Uint8Array): StunMessage {
  const message = decodeMessage(bytes);
  if (!(message instanceof StunMessage)) throw new Error(message);
  return message;
}

describe("RFC 5769", () => {
  test("2.1, request", () => {
    const message = decoded(rfc5769("request"));
    expect(message).toMatchObject({ method: 1, class: "request", classic: false, unknownRequired: [] });
    expect(message.transactionId.toString("hex")).toBe("b7e7a701bc34d686fa87dfae");
    expect(message.get(Software)).toBe("STUN test client");
    expect(message.get(Priority)).toBe(0x6e0001ff);
    expect(message.get(IceControlled)).toBe(0x932ff9b151263b36n);
    expect(message.get(Username)).toBe("evtj:h6vY");
    expect(message.has(Fingerprint)).toBe(true);
    expect(verifyIntegrity(message, "sha1", iceKey)).toBe(true);
  });

  test.each([
    ["2.2", "IPv4 response", "192.0.2.1"],
    ["2.3", "IPv6 response", "2001:db8:1234:5678:11:2233:4455:6677"],
  ])("%s, %s", (_section, name, address) => {
    const message = decoded(rfc5769(name));
    expect(message).toMatchObject({ method: 1, class: "success" });
    expect(message.get(Software)).toBe("test vector");
    expect(message.get(XorMappedAddress)).toEqual({ address, port: 32853 });
    expect(message.has(Fingerprint)).toBe(true);
    expect(verifyIntegrity(message, "sha1", iceKey)).toBe(true);
  });

  test("2.4, long-term request", () => {
    const message = decoded(rfc5769("long-term request"));
    expect(message.get(Username)).toBe(LONG_TERM.username);
    expect(message.get(Nonce)).toBe("f//499k954d6OL34oL9FSTvy64sA");
    expect(message.get(Realm)).toBe(LONG_TERM.realm);
    expect(message.has(Fingerprint)).toBe(false);
    expect(verifyIntegrity(message, "sha1", md5Key)).toBe(true);
    expect(verifyIntegrity(message, "sha1", sha256Key)).toBe(false);
    // It pads with zeros as we do, so we write the very same bytes.
    const { username, realm } = LONG_TERM;
    expect(
      encodeMessage({
        method: 1,
        class: "request",
        transactionId: message.transactionId,
        attributes: [Username.of(username), Nonce.of("f//499k954d6OL34oL9FSTvy64sA"), Realm.of(realm)],
        integrity: [{ algorithm: "sha1", key: md5Key }],
      }),
    ).toEqual(message.bytes);
  });

  test.each([
    ["request", iceKey],
    ["IPv4 response", iceKey],
    ["IPv6 response", iceKey],
    ["long-term request", md5Key],
  ])("%s: no bit can be flipped unseen", (name, key) => {
    const vector = rfc5769(name);
    const unseen: number[] = [];
    for (let bit = 0; bit < vector.length * 8; bit++) {
      const flipped = Buffer.from(vector);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
      const message = decodeMessage(flipped);
      if (message instanceof StunMessage && verifyIntegrity(message, "sha1", key)) {
        // Only the type of FINGERPRINT is covered by neither check, and who expects a fingerprint sees that it is gone.
        expect(message.has(Fingerprint)).toBe(false);
        unseen.push(bit);
      }
    }
    const typeOfFingerprint = Array.from({ length: 16 }, (_, i) => (vector.length - 8) * 8 + i);
    expect(unseen).toEqual(decoded(vector).has(Fingerprint) ? typeOfFingerprint : []);
  });
});

describe("RFC 8489, B.1: USERHASH and SHA-256", () => {
  const nonce = "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA";

  // Erratum 6268 (verified): the RFC's length field counts the header too, PASSWORD-ALGORITHM is missing though the key is a SHA-256, and
  // the HMAC was made over the wrong length. The corrected message is the vector.
  test("as corrected", () => {
    const message = decoded(rfc8489("USERHASH and SHA-256 request, as corrected by erratum 6268"));
    const userhash = createHash("sha256").update(`${LONG_TERM.username}:${LONG_TERM.realm}`).digest();
    expect(message.get(Userhash)).toEqual(userhash);
    expect(message.get(Nonce)).toBe(nonce);
    expect(message.get(PasswordAlgorithm)).toEqual({ algorithm: 2, parameters: Buffer.alloc(0) });
    expect(verifyIntegrity(message, "sha256", sha256Key)).toBe(true);
    expect(verifyIntegrity(message, "sha256", md5Key)).toBe(false);
    expect(verifyIntegrity(message, "sha1", sha256Key)).toBe(false);
    expect(
      encodeMessage({
        method: 1,
        class: "request",
        transactionId: message.transactionId,
        attributes: [
          Userhash.of(userhash),
          Nonce.of(nonce),
          Realm.of(LONG_TERM.realm),
          PasswordAlgorithm.of({ algorithm: 2, parameters: Buffer.alloc(0) }),
        ],
        integrity: [{ algorithm: "sha256", key: sha256Key }],
      }),
    ).toEqual(message.bytes);
  });

  test("as printed it is no STUN message, and its HMAC no MESSAGE-INTEGRITY-SHA256", () => {
    const printed = rfc8489("USERHASH and SHA-256 request, as printed in the RFC: wrong");
    expect(decodeMessage(printed)).toBe("bad-length");
    expect(createHmac("sha256", sha256Key).update(printed.subarray(0, -36)).digest()).toEqual(printed.subarray(-32));
    const repaired = Buffer.from(printed);
    repaired.writeUInt16BE(printed.length - 20, 2);
    expect(verifyIntegrity(decoded(repaired), "sha256", sha256Key)).toBe(false);
  });
});

test("a truncated SHA-256 is accepted only from a usage that allows it, at its length", () => {
  const truncated = (length: number) => {
    const bytes = encodeMessage({
      method: 1,
      class: "request",
      transactionId: Buffer.alloc(12, 7),
      attributes: [Username.of("ada"), MessageIntegritySha256.of(Buffer.alloc(length))],
      fingerprint: false,
    });
    const end = bytes.length - length - 4;
    createHmac("sha256", iceKey)
      .update(bytes.subarray(0, end))
      .digest()
      .copy(bytes, end + 4, 0, length);
    return decoded(bytes);
  };
  expect(verifyIntegrity(truncated(32), "sha256", iceKey)).toBe(true);
  expect(verifyIntegrity(truncated(28), "sha256", iceKey)).toBe(false);
  expect(verifyIntegrity(truncated(16), "sha256", iceKey, 16)).toBe(true);
  expect(verifyIntegrity(truncated(16), "sha256", iceKey, 20)).toBe(false);
  expect(verifyIntegrity(truncated(16), "sha256", md5Key, 16)).toBe(false);
});

test("both algorithms in one message: each is verified on its own, and in the order that readers honour", () => {
  const both = encodeMessage({
    method: 1,
    class: "request",
    transactionId: Buffer.alloc(12, 7),
    // Given the wrong way round: MESSAGE-INTEGRITY behind MESSAGE-INTEGRITY-SHA256 would be ignored.
    integrity: [
      { algorithm: "sha256", key: sha256Key },
      { algorithm: "sha1", key: md5Key },
    ],
    fingerprint: true,
  });
  const message = decoded(both);
  expect(verifyIntegrity(message, "sha1", md5Key)).toBe(true);
  expect(verifyIntegrity(message, "sha256", sha256Key)).toBe(true);
  expect(verifyIntegrity(message, "sha1", sha256Key)).toBe(false);
});

test("a message without integrity is not verified by any key", () => {
  const message = decoded(encodeMessage({ method: 1, class: "request", transactionId: Buffer.alloc(12) }));
  expect(verifyIntegrity(message, "sha1", Buffer.alloc(0))).toBe(false);
  expect(verifyIntegrity(message, "sha256", Buffer.alloc(0))).toBe(false);
});
