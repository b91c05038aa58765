import fc from "fast-check";
import { expect, test } from "vitest";
import { formatIdentityDocument, MAX_DOCUMENT_LENGTH, parseIdentityDocument } from "./identity-document.js";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const DOCUMENT = { seed: new Uint8Array(32).fill(1), secret: new Uint8Array(16).fill(2) };

test("round trip", () => {
  fc.assert(
    fc.property(fc.record({ seed: bytes(32), secret: bytes(16) }, { noNullPrototype: true }), (document) => {
      const text = formatIdentityDocument(document);
      expect(text.length).toBeLessThan(MAX_DOCUMENT_LENGTH);
      const { seed, secret } = parseIdentityDocument(text);
      expect({ seed, secret }).toEqual(document);
    }),
  );
});

test("stays what it is: version 1", () => {
  expect(formatIdentityDocument(DOCUMENT)).toMatchInlineSnapshot(`
    "{
      "awlIdentity": 1,
      "seed": "0101010101010101010101010101010101010101010101010101010101010101",
      "secret": "02020202020202020202020202020202"
    }
    "
  `);
});

const text = formatIdentityDocument(DOCUMENT);
test.each([
  ["", "is not an Awl identity"],
  ["{", "is not an Awl identity"],
  ["null", "is not an Awl identity"],
  ["[1]", "is not an Awl identity"],
  ['{"seed":"aa"}', "is not an Awl identity"],
  [text.replace(": 1", ': "1"'), "is not an Awl identity"],
  [text.replace(": 1", ": 2"), "was written by a newer Awl"],
  ['{"awlIdentity":7}', "was written by a newer Awl"],
  ['{"awlIdentity":1}', "is damaged: it is an Awl identity without a proper seed and secret"],
  [text.replace("0101", "01"), "is damaged: it is an Awl identity without a proper seed and secret"],
  [text.replace("0202", "02zz"), "is damaged: it is an Awl identity without a proper seed and secret"],
])("text %# $1", (damaged, message) => {
  expect(() => parseIdentityDocument(damaged)).toThrow(expect.objectContaining({ name: "PeerError", code: "bad-identity-file", message }));
});
