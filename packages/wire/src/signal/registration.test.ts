import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { provenRoom, registrationPayload } from "./registration.js";
import { isRoom, roomOf } from "./room.js";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const KEY = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
const ROOM = roomOf(KEY);
const CHALLENGE = Buffer.alloc(32, 7);
const SIGNATURE = sign(null, registrationPayload(CHALLENGE, ROOM), privateKey);

describe("the room of a key", () => {
  test("is a hash under a label", () => {
    expect(roomOf(Buffer.alloc(32))).toBe("ZQrckXxfu19oQcVeeF_aS_I3nG8k68CnrEU8PZOuu-k");
  });

  test("has a name that passes for one", () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => isRoom(roomOf(key))));
    for (const text of ["", "x", `${ROOM}A`, ROOM.slice(1), ` ${ROOM.slice(1)}`, `${ROOM.slice(0, 42)}B`, `${ROOM}\n`])
      expect(isRoom(text)).toBe(false);
  });
});

describe("a registration", () => {
  test("proves the right to the room of its key", () => {
    expect(provenRoom(CHALLENGE, KEY, SIGNATURE)).toBe(ROOM);
  });

  test("signs a label, the challenge and the room, which have fixed lengths", () => {
    const payload = registrationPayload(CHALLENGE, ROOM);
    expect(payload.toString("latin1", 0, 26)).toBe("awl signal 1 registration\0");
    expect(payload.subarray(26, 58)).toEqual(CHALLENGE);
    expect(payload.subarray(58).toString("base64url")).toBe(ROOM);
  });

  const other = generateKeyPairSync("ed25519");
  const otherKey = Buffer.from(createPublicKey(other.privateKey).export({ format: "jwk" }).x ?? "", "base64url");

  test.each([
    ["for another challenge", Buffer.alloc(32, 8), KEY, SIGNATURE],
    ["with another key", CHALLENGE, otherKey, SIGNATURE],
    ["by another key", CHALLENGE, KEY, sign(null, registrationPayload(CHALLENGE, ROOM), other.privateKey)],
    ["for another room", CHALLENGE, KEY, sign(null, registrationPayload(CHALLENGE, roomOf(otherKey)), privateKey)],
    ["of nothing but the challenge", CHALLENGE, KEY, sign(null, CHALLENGE, privateKey)],
    ["with a key that is none", CHALLENGE, Buffer.alloc(31), SIGNATURE],
    ["with a signature that is none", CHALLENGE, KEY, Buffer.alloc(3)],
  ])("%s proves nothing", (_name, challenge, key, signature) => {
    expect(provenRoom(challenge, key, signature)).toBeUndefined();
  });

  test("never throws, and is worth nothing, whatever its bytes", () => {
    const bytes = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(bytes, bytes, fc.nat(2), (key, signature, real) => {
        expect(provenRoom(CHALLENGE, real === 1 ? KEY : key, real === 2 ? SIGNATURE : signature)).toBeUndefined();
      }),
    );
  });
});
