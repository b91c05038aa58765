import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ATTRIBUTES_WITH_VALUES, FROM_FIELDS, messages } from "./arbitrary.test-support.js";
import { ATTRIBUTES, Fingerprint } from "./attributes.js";
import { encodeMessage } from "./encode.js";
import { verifyIntegrity } from "./integrity.js";
import { decodeMessage, StunMessage } from "./message.js";

/** Everything that a reader can ask of a message. */
function told(message: StunMessage) {
  const values = ATTRIBUTES.flatMap((attribute) => {
    const all = message.all(attribute);
    expect(all[0]).toEqual(message.get(attribute));
    expect(message.has(attribute)).toBe(all.length > 0);
    return all.map((value) => [attribute.name, plain(value)] as const);
  });
  const { method, class: messageClass, classic, unknownRequired } = message;
  return { method, class: messageClass, classic, unknownRequired, transactionId: plain(message.transactionId), values };
}

/** Views of memory as plain arrays of numbers, so that a Buffer equals a Uint8Array. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
  return value;
}

test("the arbitrary messages have every attribute", () => {
  expect(ATTRIBUTES_WITH_VALUES + FROM_FIELDS.length).toBe(ATTRIBUTES.length);
});

test("what is written is read back: every attribute, value, key and length", () => {
  fc.assert(
    fc.property(messages, (fields) => {
      const message = decodeMessage(encodeMessage(fields));
      if (!(message instanceof StunMessage)) return expect.fail(message);
      const values = ATTRIBUTES.filter((attribute) => !FROM_FIELDS.includes(attribute)).flatMap((attribute) =>
        fields.attributes.filter((each) => each.attribute === attribute).map(({ value }) => [attribute.name, plain(value)] as const),
      );
      expect({
        ...told(message),
        values: told(message).values.filter(([name]) => !FROM_FIELDS.some((each) => each.name === name)),
      }).toEqual({
        method: fields.method,
        class: fields.class,
        classic: fields.transactionId.length === 16,
        unknownRequired: [],
        transactionId: [...fields.transactionId],
        values,
      });
      expect(message.has(Fingerprint)).toBe(fields.fingerprint);
      for (const { algorithm, key } of fields.integrity) {
        expect(verifyIntegrity(message, algorithm, key)).toBe(true);
        expect(verifyIntegrity(message, algorithm, Buffer.concat([key, Buffer.from("x")]))).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});

describe("hostile bytes", () => {
  /** Bytes with the look of a message, so that the decoder gets past the header. */
  const framed = fc.uint8Array({ maxLength: 200 }).map((body) => {
    const message = Buffer.alloc(20 + (body.length & ~3), 1);
    message[0] = 0;
    message.writeUInt16BE(message.length - 20, 2);
    message.set(body.subarray(0, message.length - 20), 20);
    return message;
  });
  const edit = fc.record({ at: fc.nat(300), value: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)) });
  const mutated = fc.tuple(messages, fc.array(edit, { minLength: 1, maxLength: 6 }), fc.nat(8)).map(([fields, edits, cut]) => {
    const message = encodeMessage({ ...fields, fingerprint: false });
    for (const { at, value } of edits) message[at % message.length] = value;
    return message.subarray(0, message.length - cut);
  });
  const hostile = fc.oneof(fc.uint8Array({ maxLength: 100 }), framed, mutated);

  test("give a fault or a message that can be read whole, and nothing around them is looked at", () => {
    let read = 0;
    fc.assert(
      fc.property(hostile, (bytes) => {
        const results = [0x00, 0xff].map((around) => {
          const memory = Buffer.alloc(bytes.length + 2000, around);
          memory.set(bytes, 1000);
          const message = decodeMessage(memory.subarray(1000, 1000 + bytes.length));
          if (!(message instanceof StunMessage)) return message;
          read++;
          verifyIntegrity(message, "sha1", Buffer.alloc(4));
          verifyIntegrity(message, "sha256", Buffer.alloc(4), 16);
          return told(message);
        });
        expect(results[0]).toEqual(results[1]);
      }),
      { numRuns: 1500 },
    );
    // Else the property said nothing about the readers.
    expect(read).toBeGreaterThan(300);
  });

  test("are not changed by decoding", () => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        const before = Buffer.from(bytes);
        const message = decodeMessage(bytes);
        if (message instanceof StunMessage) told(message);
        expect(Buffer.from(bytes)).toEqual(before);
      }),
    );
  });
});
