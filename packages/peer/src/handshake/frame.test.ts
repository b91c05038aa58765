import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeFrame, type Frame, type FrameFault, type FrameKind, FrameReader, MAX_FRAME_PAYLOAD } from "./frame.js";

const frame = fc.record(
  { kind: fc.constantFrom<FrameKind>("message", "goodbye"), payload: fc.uint8Array({ maxLength: 300 }) },
  { noNullPrototype: true },
);

test("frames come out as they went in, however they are cut", () => {
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(({ kind, payload }) => encodeFrame(kind, payload)));
      const reader = new FrameReader(300);
      const read: (Frame | FrameFault)[] = [];
      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const length = cuts[cut % cuts.length] ?? 1;
        reader.push(bytes.subarray(at, at + length));
        at += length;
        for (let next = reader.next(); next !== undefined; next = reader.next()) read.push(next);
      }
      expect(read).toEqual(frames);
    }),
  );
});

test("the longest frame, in small pieces, is put together in one go", () => {
  const payload = Buffer.alloc(MAX_FRAME_PAYLOAD, 7);
  const bytes = encodeFrame("message", payload);
  const reader = new FrameReader(MAX_FRAME_PAYLOAD);
  const started = performance.now();
  for (let at = 0; at < bytes.length; at++) {
    if (reader.next() !== undefined) throw new Error("too early");
    reader.push(bytes.subarray(at, at + 1));
  }
  expect(Buffer.from((reader.next() as Frame).payload).equals(payload)).toBe(true);
  expect(performance.now() - started).toBeLessThan(1_000);
});

test("a payload is a copy", () => {
  const bytes = encodeFrame("message", Buffer.from("abc"));
  const reader = new FrameReader(10);
  reader.push(bytes);
  const read = reader.next();
  bytes.fill(0);
  expect(read).toEqual({ kind: "message", payload: Uint8Array.from(Buffer.from("abc")) });
});

test("too long, at once and for good; the limit may change between two frames", () => {
  const reader = new FrameReader(3);
  reader.push(Buffer.concat([encodeFrame("message", Buffer.alloc(3)), encodeFrame("message", Buffer.alloc(4)).subarray(0, 4)]));
  expect(reader.next()).toMatchObject({ kind: "message" });
  expect([reader.next(), reader.next()]).toEqual(["frame-too-long", "frame-too-long"]);
  reader.limit = 4;
  expect(reader.next()).toBeUndefined();
  reader.push(Buffer.alloc(4));
  expect(reader.next()).toMatchObject({ kind: "message" });
  expect(() => encodeFrame("message", Buffer.alloc(MAX_FRAME_PAYLOAD + 1))).toThrow(RangeError);
});

test("an unknown kind", () => {
  const reader = new FrameReader(3);
  reader.push(Buffer.of(2, 0, 0, 0));
  expect(reader.next()).toBe("frame-kind-unknown");
});
