import fc from "fast-check";
import { expect, test } from "vitest";
import { randomFrom } from "../random.test-support.js";
import { Reassembly } from "./reassembly.js";

const stream = Buffer.from(Array.from({ length: 55_000 }, (_, offset) => (offset * 31) >> 3));

function takeAll(reassembly: Reassembly): Buffer {
  const pieces = [];
  for (let piece = reassembly.take(); piece; piece = reassembly.take()) pieces.push(piece);
  return Buffer.concat(pieces);
}

test("pieces in any order, overlapping and repeated, are the stream", () => {
  const piece = fc.tuple(fc.nat(50_000), fc.integer({ min: 1, max: 5_000 }));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.nat(), (pieces, seed) => {
      const random = randomFrom(seed);
      const reassembly = new Reassembly();
      const taken: Buffer[] = [];
      const there = new Uint8Array(stream.length);
      for (const [start, length] of pieces) {
        reassembly.insert(start, stream.subarray(start, start + length));
        there.fill(1, start, start + length);
        const missing = there.indexOf(0);
        expect(reassembly.read + reassembly.readable).toBe(missing === -1 ? stream.length : missing);
        if (random() < 0.5) taken.push(takeAll(reassembly));
      }
      taken.push(takeAll(reassembly));
      const read = Buffer.concat(taken);
      expect(read.equals(stream.subarray(0, read.length))).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test("every other byte of a window, then the others: the stream, in hardly more memory than the window", () => {
  const window = 1 << 18;
  const reassembly = new Reassembly();
  const before = process.memoryUsage().arrayBuffers;
  const byte = new Uint8Array(1);
  const insert = (offset: number) => {
    byte[0] = offset * 7;
    reassembly.insert(offset, byte);
  };
  for (let offset = 1; offset < window; offset += 2) insert(offset);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * window);
  expect(reassembly.readable).toBe(0);
  for (let offset = 0; offset < window; offset += 2) insert(offset);
  const read = takeAll(reassembly);
  expect(read.equals(Buffer.from(Array.from({ length: window }, (_, offset) => offset * 7)))).toBe(true);
});
