import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSignalFrame, encodeSignalFrame } from "./frame.js";

test("a frame is the link's number, then the data", () => {
  expect(encodeSignalFrame(0x01020304, Buffer.from("hi")).toString("hex")).toBe("010203046869");
});

test("every frame comes back as it was", () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.uint8Array({ minLength: 1 }), (link, data) => {
      expect(decodeSignalFrame(encodeSignalFrame(link, data))).toEqual({ link, data: Buffer.from(data) });
    }),
  );
});

test("any bytes are a frame with data, or too short for one", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const frame = decodeSignalFrame(bytes);
      if (bytes.length < 5) expect(frame).toBe("too-short");
      else expect(frame).toEqual({ link: Buffer.from(bytes).readUInt32BE(), data: Buffer.from(bytes.subarray(4)) });
    }),
  );
});
