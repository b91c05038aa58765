import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "./crc32.js";

test("agrees with zlib, below and above the length from which it is zlib", () => {
  expect(crc32(Buffer.from("12345678"), 8)).toBe(0x9ae0daaf);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      const end = bytes.length & ~3;
      expect(crc32(bytes, end)).toBe(zlibCrc32(bytes.subarray(0, end)));
    }),
  );
});
