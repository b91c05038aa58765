import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodePacket, type Frame } from "./frame.js";
import { writeAck, writeClose, writeControl, writeDatagram, writeStreamHeader } from "./frame-encode.js";
import { FrameType } from "./frame-type.js";
import { PacketReader } from "./packet-reader.js";
import { MAX_VARINT, PacketWriter, varintLength } from "./packet-writer.js";

const number = fc.oneof(fc.nat(300), fc.nat(), fc.maxSafeNat());

function written(write: (writer: PacketWriter) => void, limit = 4_096): Buffer {
  const writer = new PacketWriter(limit);
  writer.begin(limit);
  write(writer);
  return Buffer.from(writer.finish());
}

function framesOf(write: (writer: PacketWriter) => void): readonly Frame[] | undefined {
  const bytes = written((writer) => {
    writer.varint(7);
    write(writer);
  });
  return decodePacket(bytes)?.frames;
}

describe("varints", () => {
  test.each([
    ["c2197c5eff14e88c", undefined],
    ["9d7f3e7d", 494_878_333],
    ["7bbd", 15_293],
    ["25", 37],
    ["4025", 37],
  ])("RFC 9000 appendix A.1: %s", (hex, value) => {
    const reader = new PacketReader(Buffer.from(hex, "hex"));
    const read = reader.varint();
    // The first is above what a JavaScript number holds exactly.
    expect(reader.broken ? undefined : read).toBe(value);
  });

  test("what is written is read, in the shortest form", () => {
    fc.assert(
      fc.property(number, (value) => {
        const bytes = written((writer) => writer.varint(value));
        expect(bytes).toHaveLength(varintLength(value));
        expect(new PacketReader(bytes).varint()).toBe(value);
      }),
    );
    expect(varintLength(MAX_VARINT)).toBe(8);
  });
});

describe("frames", () => {
  test("control frames", () => {
    fc.assert(
      fc.property(number, number, number, (a, b, c) => {
        expect(
          framesOf((writer) => {
            writeControl(writer, FrameType.Ping);
            writeControl(writer, FrameType.ResetStream, a, b, c);
            writeControl(writer, FrameType.StopSending, a, b);
            writeControl(writer, FrameType.MaxData, a);
            writeControl(writer, FrameType.MaxStreamData, a, b);
            writeControl(writer, FrameType.MaxStreams, c);
          }),
        ).toEqual([
          { type: "ping" },
          { type: "reset-stream", stream: a, code: b, finalSize: c },
          { type: "stop-sending", stream: a, code: b },
          { type: "max-data", limit: a },
          { type: "max-stream-data", stream: a, limit: b },
          { type: "max-streams", limit: c },
        ]);
      }),
    );
  });

  test("data, between padding", () => {
    fc.assert(
      fc.property(number, fc.nat(), fc.uint8Array({ maxLength: 500 }), fc.boolean(), (stream, offset, data, fin) => {
        expect(
          framesOf((writer) => {
            writer.byte(0);
            writeStreamHeader(writer, stream, offset, data.length, fin);
            writer.bytes(data);
            writer.byte(0);
            writeDatagram(writer, data);
            writer.pad();
          }),
        ).toEqual([
          { type: "stream", stream, offset, data: Buffer.from(data), fin },
          { type: "datagram", data: Buffer.from(data) },
        ]);
      }),
    );
  });

  test("a STREAM frame without length fills the packet, and one without offset begins the stream", () => {
    expect(decodePacket(Buffer.from("07" + "08" + "04" + "616263", "hex"))?.frames).toEqual([
      { type: "stream", stream: 4, offset: 0, data: Buffer.from("abc"), fin: false },
    ]);
  });

  test("CLOSE, its text cut to the room there is", () => {
    const frames = framesOf((writer) => writeClose(writer, true, 77, "ü".repeat(5_000)));
    expect(frames).toEqual([{ type: "close", isApplication: true, code: 77, text: "ü".repeat(256) }]);
  });

  test("ACK: all ranges, the highest first, as half-open pairs go in", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 32 }), (steps) => {
        const edges: number[] = [];
        let at = 0;
        for (const [gap, length] of steps) {
          const start = at + gap + 1;
          at = start + length + 1;
          if (at > MAX_VARINT) break;
          edges.push(start, at);
        }
        fc.pre(edges.length > 0);
        const expected = [];
        for (let i = edges.length - 2; i >= 0; i -= 2) expected.push(edges[i], (edges[i + 1] ?? 0) - 1);
        expect(framesOf((writer) => void writeAck(writer, edges, 8))).toEqual([{ type: "ack", delayMs: 8, ranges: expected }]);
      }),
    );
  });

  test("ACK: fits the room there is, and leaves out the oldest ranges", () => {
    const edges = Array.from({ length: 200 }, (_, i) => [10 * i, 10 * i + 5]).flat();
    const bytes = written((writer) => {
      writer.varint(1);
      writeAck(writer, edges, 0);
    }, 100);
    expect(bytes.length).toBeLessThanOrEqual(100);
    expect(decodePacket(bytes)?.frames[0]).toMatchObject({ ranges: expect.arrayContaining([1990, 1994, 1980, 1984]) });
    expect(written((writer) => expect(writeAck(writer, edges, 0)).toBe(false), 4)).toHaveLength(0);
  });

  test("ACK of numbers below zero is no packet", () => {
    expect(decodePacket(Buffer.from("07" + "02" + "05" + "00" + "00" + "06", "hex"))).toBeUndefined();
    expect(decodePacket(Buffer.from("07" + "02" + "05" + "00" + "01" + "01" + "05" + "00", "hex"))).toBeUndefined();
  });

  test("a packet that is cut short anywhere is none, or says less; whatever arrives, nothing throws", () => {
    const whole = written((writer) => {
      writer.varint(300);
      writeStreamHeader(writer, 4, 70_000, 3, true);
      writer.bytes(Buffer.from("abc"));
      writeAck(writer, [3, 9, 70, 90], 1);
      writeControl(writer, FrameType.ResetStream, 4, 5, 6);
    });
    for (let length = 0; length < whole.length; length++) {
      expect(decodePacket(whole.subarray(0, length))?.frames.length ?? 0).toBeLessThan(3);
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void decodePacket(bytes)));
  });

  test.each([
    ["unknown type", "0721"],
    ["no frame", "07"],
    ["nothing", ""],
    ["a length beyond the end", "070a040561"],
  ])("%s", (_, hex) => {
    expect(decodePacket(Buffer.from(hex, "hex"))).toBeUndefined();
  });
});
