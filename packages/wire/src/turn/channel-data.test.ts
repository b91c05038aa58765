import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { decodeChannelData, encodeChannelData, MAX_CHANNEL, MAX_CLASSIC_CHANNEL, MIN_CHANNEL } from "./channel-data.js";

const data = Buffer.from("hello");

test("channel, length, data", () => {
  expect(encodeChannelData(0x4001, data).toString("hex")).toBe("4001000568656c6c6f");
});

test("over a stream it is padded with zeros to four bytes, which its length does not count", () => {
  // Memory that held other things, as allocUnsafe gives it
  vi.spyOn(Buffer, "allocUnsafe").mockImplementationOnce((size) => Buffer.alloc(size, 0xee));
  expect(encodeChannelData(0x4001, data, true).toString("hex")).toBe("4001000568656c6c6f000000");
  expect(encodeChannelData(0x4001, Buffer.alloc(4), true)).toHaveLength(8);
  expect(decodeChannelData(encodeChannelData(0x4001, data, true))).toEqual({ channel: 0x4001, data });
});

test.each([
  ["too-short", ""],
  ["too-short", "400000"],
  ["bad-channel", "00010000"],
  ["bad-channel", "3fff0000"],
  ["bad-channel", "50000000"],
  ["bad-channel", "ffff0000"],
  ["bad-length", "40000001"],
  ["bad-length", "4000000568656c6c"],
  ["bad-length", "4000ffff"],
])("%s: %s", (fault, hex) => {
  expect(decodeChannelData(Buffer.from(hex, "hex"))).toBe(fault);
});

test("to a client of RFC 5766, higher channels are written", () => {
  expect(encodeChannelData(MAX_CLASSIC_CHANNEL, data, false, MAX_CLASSIC_CHANNEL).toString("hex")).toBe("7fff000568656c6c6f");
  expect(() => encodeChannelData(0x8000, data, false, MAX_CLASSIC_CHANNEL)).toThrow(expect.objectContaining({ code: "bad-channel" }));
});

test("empty data is data", () => {
  expect(decodeChannelData(Buffer.from("40000000", "hex"))).toEqual({ channel: 0x4000, data: Buffer.alloc(0) });
});

test("data is a view, not a copy", () => {
  const message = encodeChannelData(0x4000, data);
  const decoded = decodeChannelData(message);
  message[4] = 0x4a;
  expect(typeof decoded === "object" && decoded.data.toString()).toBe("Jello");
});

test("what is no channel, or too long, is not written", () => {
  for (const channel of [MIN_CHANNEL - 1, MAX_CHANNEL + 1, 0x4000 + 0.5, Number.NaN]) {
    expect(() => encodeChannelData(channel, data)).toThrow(expect.objectContaining({ name: "WireError", code: "bad-channel" }));
  }
  expect(() => encodeChannelData(MIN_CHANNEL, Buffer.alloc(65536))).toThrow(expect.objectContaining({ code: "bad-channel" }));
  expect(encodeChannelData(MIN_CHANNEL, Buffer.alloc(65535))).toHaveLength(65539);
});

test("what is written is read back, whatever stands behind it", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: MIN_CHANNEL, max: MAX_CHANNEL }),
      fc.uint8Array({ maxLength: 1500 }),
      fc.uint8Array({ maxLength: 8 }),
      (channel, data, behind) => {
        const decoded = decodeChannelData(Buffer.concat([encodeChannelData(channel, data), behind]));
        expect(decoded).toEqual({ channel, data: Buffer.from(data) });
      },
    ),
  );
});

test("any bytes give a fault or data from within them", () => {
  const likely = fc
    .tuple(fc.constantFrom(0x40, 0x4f, 0x50, 0x00), fc.uint8Array({ maxLength: 12 }))
    .map(([first, rest]) => Uint8Array.of(first, ...rest));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), likely), (bytes) => {
      const decoded = decodeChannelData(bytes);
      if (typeof decoded === "string") return;
      expect(decoded.data.buffer).toBe(bytes.buffer);
      expect(decoded.data.byteOffset).toBe(bytes.byteOffset + 4);
      expect(decoded.data.length).toBeLessThanOrEqual(bytes.length - 4);
    }),
  );
});
