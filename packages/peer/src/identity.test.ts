import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatKey, identityFromSeed, parseKey, verifySignature } from "./identity.js";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

/** RFC 8032 section 7.1. */
const VECTORS = [
  {
    seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    key: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature:
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  },
  {
    seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    key: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature:
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  },
];

test.each(VECTORS)("RFC 8032: the key of seed $seed", ({ seed, key, message, signature }) => {
  const identity = identityFromSeed(hex(seed));
  expect(identity.publicKey).toEqual(hex(key));
  expect(Uint8Array.from(identity.sign(hex(message)))).toEqual(hex(signature));
  expect(verifySignature(hex(key), hex(message), hex(signature))).toBe(true);
});

test("a signature holds for its key, its message and itself, and for nothing else", () => {
  fc.assert(
    fc.property(bytes(32), bytes(32), fc.uint8Array(), fc.uint8Array(), bytes(64), (seed, otherKey, message, other, garbage) => {
      const { publicKey, sign } = identityFromSeed(seed);
      const signature = sign(message);
      expect(verifySignature(publicKey, message, signature)).toBe(true);
      expect(verifySignature(otherKey, message, signature)).toBe(false);
      expect(verifySignature(publicKey, message, garbage)).toBe(false);
      if (!Buffer.from(message).equals(other)) expect(verifySignature(publicKey, other, signature)).toBe(false);
    }),
  );
  expect(verifySignature(new Uint8Array(31), new Uint8Array(1), new Uint8Array(64))).toBe(false);
  expect(verifySignature(new Uint8Array(32), new Uint8Array(1), new Uint8Array(63))).toBe(false);
});

test("a seed has 32 bytes", () => {
  expect(() => identityFromSeed(new Uint8Array(31))).toThrow(RangeError);
});

describe("the text of a key", () => {
  const text = formatKey(hex(VECTORS[0]?.key ?? ""));

  test("is one word, and stays what it is", () => {
    expect(text).toMatchInlineSnapshot(`"awlkey1aaqddv22taayfmikw7kux7wtzfsaooqo4fzphwvgems26aq2nd3qoui2i34pocq"`);
    expect(() => formatKey(new Uint8Array(31))).toThrow(RangeError);
  });

  test("round trip, with white space around it and in upper case", () => {
    fc.assert(
      fc.property(bytes(32), (key) => {
        expect(parseKey(formatKey(key))).toEqual(key);
        expect(parseKey(` ${formatKey(key).toUpperCase()}\n`)).toEqual(key);
      }),
    );
  });

  test.each([
    ["", "this is no public key: a key is one word that begins with awlkey1"],
    ["awl1abcdefgh", "this is no public key: a key is one word that begins with awlkey1"],
    [text.slice(0, -1), "the key is cut short: copy all of it"],
    [`${text.slice(0, 20)}${text[20] === "a" ? "b" : "a"}${text.slice(21)}`, "the key has a typo"],
    [`awlkey2${text.slice(8)}`, "the key needs a newer Awl"],
  ])("wrong word %#: $1", (damaged, message) => {
    expect(() => parseKey(damaged)).toThrow(expect.objectContaining({ name: "PeerError", code: "bad-key", message }));
  });

  test("every substitution of one character is found", () => {
    for (let i = 0; i < text.length; i++) {
      for (const c of "abcdefghijklmnopqrstuvwxyz0123456789") {
        const changed = text.slice(0, i) + c + text.slice(i + 1);
        if (changed !== text) expect(() => parseKey(changed)).toThrow("the key has a typo");
      }
    }
  });
});
