import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { Data } from "../stun/attributes.js";
import { encodeMessage } from "../stun/encode.js";
import { encodeChannelData } from "./channel-data.js";
import { type StreamFault, StreamFramer } from "./stream-framer.js";

const stun = encodeMessage({ method: 1, class: "request", transactionId: Buffer.alloc(12, 1) });
const channelData = encodeChannelData(0x4001, Buffer.from("hello"), true);

/** Cuts a stream into chunks at these places, which may repeat. */
function chunks(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  return places.slice(1).map((end, i) => stream.subarray(places[i], end));
}

function pushAll(framer: StreamFramer, pieces: readonly Uint8Array[]): Buffer[] | StreamFault {
  const frames: Buffer[] = [];
  for (const piece of pieces) {
    const got = framer.push(piece);
    if (typeof got === "string") return got;
    frames.push(...got);
  }
  return frames;
}

describe("frames", () => {
  test("come out as they went in, ChannelData with its padding", () => {
    const framer = new StreamFramer();
    expect(framer.push(Buffer.concat([stun, channelData, stun]))).toEqual([stun, channelData, stun]);
    expect(framer.held).toBe(0);
  });

  test("are the same however the stream is cut", () => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 700 }).map((data) => encodeChannelData(0x4000 + data.length, data, true)),
      fc
        .uint8Array({ maxLength: 700 })
        .map((data) => encodeMessage({ method: 6, class: "indication", transactionId: new Uint8Array(12), attributes: [Data.of(data)] })),
      fc.constantFrom(stun, channelData),
    );
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(6000), { maxLength: 40 }), (frames, cuts) => {
        const framer = new StreamFramer();
        expect(pushAll(framer, chunks(Buffer.concat(frames), cuts))).toEqual(frames);
        expect(framer.held).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test("stay what they are when the chunks that followed are overwritten", () => {
    const framer = new StreamFramer();
    const stream = Buffer.concat([channelData, stun]);
    const [first, second] = chunks(stream, [7]) as [Buffer, Buffer];
    expect(framer.push(first)).toEqual([]);
    const [frame] = framer.push(second) as Buffer[];
    const rest = Buffer.concat([stun, stun.subarray(0, 5)]);
    framer.push(rest);
    rest.fill(0xee);
    expect(frame).toEqual(channelData);
    expect(framer.push(stun.subarray(5))).toEqual([stun]);
  });
});

describe("what is no such stream", () => {
  test.each([
    ["not-stun-or-channel-data", Buffer.from("GET / HTTP/1.1\r\n").fill(0x80, 0, 1)],
    ["not-stun-or-channel-data", Buffer.from([0xff, 0, 0, 0])],
    ["bad-length", Buffer.from("00010003", "hex")],
    ["frame-too-long", Buffer.from("000107d0", "hex")],
    ["frame-too-long", Buffer.from("400007d0", "hex")],
  ] as const)("%s, and then for good", (fault, bytes) => {
    const framer = new StreamFramer(1500);
    expect(framer.push(stun)).toEqual([stun]);
    expect(framer.push(bytes)).toBe(fault);
    expect(framer.push(stun)).toBe(fault);
    expect(framer.held).toBe(0);
  });

  test("a frame of exactly the limit passes, one more byte does not", () => {
    const longest = encodeChannelData(0x4000, Buffer.alloc(96), true);
    expect(new StreamFramer(100).push(longest)).toEqual([longest]);
    expect(new StreamFramer(99).push(longest)).toBe("frame-too-long");
    const largest = encodeChannelData(0x4000, Buffer.alloc(65535), true);
    expect(new StreamFramer().push(largest)).toEqual([largest]);
  });
});

test("any bytes, cut anywhere: frames or a fault, never more held than the longest frame", () => {
  const likely = fc
    .array(
      fc.oneof(
        fc.constantFrom(stun, channelData),
        fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
      ),
    )
    .map((parts) => Buffer.concat(parts));
  fc.assert(
    fc.property(
      fc.oneof(
        likely,
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      ),
      fc.array(fc.nat(300), { maxLength: 20 }),
      (stream, cuts) => {
        const framer = new StreamFramer(64);
        let framed = 0;
        let pushed = 0;
        for (const chunk of chunks(stream, cuts)) {
          const frames = framer.push(chunk);
          pushed += chunk.length;
          expect(framer.held).toBeLessThan(64);
          if (typeof frames === "string") return;
          for (const frame of frames) {
            expect(frame).toEqual(stream.subarray(framed, framed + frame.length));
            framed += frame.length;
          }
          // Nothing is lost and nothing is kept twice.
          expect(framer.held).toBe(pushed - framed);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("a frame that comes byte by byte costs memory by its length, not by its square", () => {
  const frame = encodeChannelData(0x4000, Buffer.alloc(8_000), true);
  const spies = (["from", "concat", "alloc", "allocUnsafe", "allocUnsafeSlow"] as const).map((name) => vi.spyOn(Buffer, name));
  const framer = new StreamFramer();
  const frames = Array.from(frame, (_, at) => framer.push(frame.subarray(at, at + 1))).flat();
  const allocated = spies.flatMap(({ mock }) => mock.results.map(({ value }) => value.length)).reduce((sum, length) => sum + length, 0);
  vi.restoreAllMocks();
  expect(frames).toEqual([frame]);
  expect(allocated).toBeLessThan(4 * frame.length);
});
