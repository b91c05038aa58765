import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Kind, SEALED_OVERHEAD, SealedChannel } from "./sealed.js";

function pair(): [SealedChannel, SealedChannel] {
  const [a, b] = [randomBytes(32), randomBytes(32)];
  return [new SealedChannel({ send: a, receive: b }), new SealedChannel({ send: b, receive: a })];
}

test("what one side seals the other opens, at a fixed price", () => {
  const [alice, bob] = pair();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_400 }), (payload) => {
      const sealed = alice.seal(Kind.Data, payload);
      expect(sealed.length).toBe(payload.length + SEALED_OVERHEAD);
      expect(bob.open(sealed)).toEqual({ kind: Kind.Data, payload: Buffer.from(payload) });
    }),
  );
});

test("not twice, not from the wrong side, and not with any bit changed", () => {
  const [alice, bob] = pair();
  const sealed = alice.seal(Kind.Ping, Buffer.from("hello"));
  expect(alice.open(sealed)).toBe("forged");
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = Buffer.from(sealed);
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(bob.open(altered)).toBe(bit < 8 ? "not-sealed" : "forged");
  }
  expect(bob.open(sealed)).toMatchObject({ kind: Kind.Ping });
  expect(bob.open(sealed)).toBe("replayed");
});

test("a forged counter does not move the replay window", () => {
  const [alice, bob] = pair();
  const first = alice.seal(Kind.Data, Buffer.from("1"));
  const forged = Buffer.from(first);
  forged.writeUIntBE(2 ** 40, 1, 6);
  expect(bob.open(forged)).toBe("forged");
  expect(bob.open(first)).toMatchObject({ kind: Kind.Data });
});

test("is total over hostile bytes", () => {
  const [, bob] = pair();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => typeof bob.open(Buffer.from(bytes)) === "string"));
});
