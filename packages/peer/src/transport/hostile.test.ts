/** A peer that holds the keys and breaks the rules: the connection ends with a code, or goes on; memory stays bounded, nothing throws. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomFrom } from "../random.test-support.js";
import { decodePacket } from "./frame.js";
import { writeAck, writeClose, writeControl, writeDatagram, writeStreamHeader } from "./frame-encode.js";
import { FrameType } from "./frame-type.js";
import { PacketWriter } from "./packet-writer.js";
import { Transport } from "./transport.js";
import type { TransportEvent } from "./transport-io.js";

const WINDOW = 1 << 20;
/** Streams' ids, seen from the listener that is under attack. */
const THEIRS = 0;
const OURS = 1;

type Write = (writer: PacketWriter) => void;

/** A listener, and somebody who tells it whatever they like. */
class Victim {
  readonly transport: Transport;
  readonly events: TransportEvent[] = [];
  /** Decoded, what it has sent. */
  readonly sent: string[] = [];
  now = 0;
  readonly #writer = new PacketWriter(16_384);
  #number = 0;

  constructor() {
    const windows = { streamWindow: WINDOW, connectionWindow: 2 * WINDOW };
    this.transport = new Transport(0, { role: "listener", random: randomFrom(1), ...windows });
    this.transport.changePath(0, { rttMs: 20 });
  }

  tell(...frames: Write[]): void {
    this.#writer.begin(16_384);
    this.#writer.varint(this.#number++);
    for (const write of frames) write(this.#writer);
    this.give(Buffer.from(this.#writer.finish()));
  }

  give(bytes: Uint8Array): void {
    this.now += 1;
    this.transport.receive(this.now, bytes);
    this.flush();
  }

  flush(): void {
    for (let packet = this.transport.poll(this.now); packet; packet = this.transport.poll(this.now)) {
      for (const frame of decodePacket(packet)?.frames ?? []) this.sent.push(frame.type);
    }
    this.events.push(...this.transport.takeEvents());
  }

  get closed(): TransportEvent | undefined {
    return this.events.find(({ type }) => type === "closed");
  }
}

const stream = (id: number, offset: number, length: number, fin = false): Write => {
  return (writer) => {
    writeStreamHeader(writer, id, offset, length, fin);
    writer.bytes(Buffer.alloc(length, 1));
  };
};
const control = (type: number, ...values: [number?, number?, number?]): Write => {
  return (writer) => writeControl(writer, type, ...values);
};
const raw = (hex: string): Write => {
  return (writer) => writer.bytes(Buffer.from(hex, "hex"));
};

describe("each broken rule closes the connection with its code", () => {
  const broken: [name: string, code: string, ...frames: Write[]][] = [
    ["an unknown frame", "frame-encoding", raw("21")],
    ["a frame that is cut short", "frame-encoding", raw("0b0405")],
    ["an acknowledgement of what was never sent", "protocol-violation", (writer) => void writeAck(writer, [5, 9], 0)],
    ["acknowledged numbers below zero", "frame-encoding", raw("0205000006")],
    ["data beyond the stream's window", "flow-control", stream(THEIRS, WINDOW, 1)],
    ["an end beyond the stream's window", "flow-control", control(FrameType.ResetStream, THEIRS, 0, WINDOW + 1)],
    ["data beyond the connection's window", "flow-control", ...[0, 4, 8].map((id) => stream(id, WINDOW - 100, 100))],
    ["more streams than allowed", "stream-limit", stream(4 * 1_024, 0, 1)],
    ["a stream of ours that we never opened", "stream-state", stream(OURS, 0, 1)],
    ["a window for a stream of ours that we never opened", "stream-state", control(FrameType.MaxStreamData, OURS, 9)],
    ["a stream of a kind that there is not", "stream-state", stream(2, 0, 1)],
    ["data after the end", "final-size", stream(THEIRS, 0, 10, true), stream(THEIRS, 10, 1)],
    ["an end before what was sent", "final-size", stream(THEIRS, 0, 10), stream(THEIRS, 0, 5, true)],
    ["another end", "final-size", stream(THEIRS, 0, 10, true), control(FrameType.ResetStream, THEIRS, 0, 11)],
    ["an end by reset before what was sent", "final-size", stream(THEIRS, 0, 10), control(FrameType.ResetStream, THEIRS, 0, 9)],
  ];

  test.each(broken)("%s: %s", (_, code, ...frames) => {
    const victim = new Victim();
    for (const frame of frames) victim.tell(frame);
    expect(victim.closed).toMatchObject({ type: "closed", by: "us", code });
    expect(victim.sent).toContain("close");
    // Whatever it says now, nothing more happens, and it is answered ever less often.
    const { length } = victim.sent;
    for (let i = 0; i < 1_000; i++) victim.tell(stream(THEIRS, 0, 1));
    expect(victim.sent.length - length).toBeLessThan(12);
    victim.now += 60_000;
    victim.flush();
    expect(victim.events.at(-1)).toEqual({ type: "drained" });
    expect(victim.transport.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  test("a code that we have no name for", () => {
    const victim = new Victim();
    victim.tell((writer) => writeClose(writer, false, 0x1234, "?"));
    expect(victim.closed).toMatchObject({ by: "peer", code: "internal", text: "?" });
  });
});

describe("memory stays bounded against", () => {
  /** What is kept alive after this, bytes. */
  const keeps = (attack: (victim: Victim) => void) => {
    const victim = new Victim();
    victim.tell(stream(THEIRS, 0, 1));
    const before = memoryInUse();
    attack(victim);
    victim.flush();
    const grown = memoryInUse() - before;
    expect(victim.closed).toBeUndefined();
    return grown;
  };

  test("single bytes with gaps between them", () => {
    expect(
      keeps((victim) => {
        for (let offset = 1; offset < 200_000; offset += 2) victim.tell(stream(THEIRS, offset, 1));
      }),
    ).toBeLessThan(3 * WINDOW);
  });

  test("a byte in each of very many streams, each far out", () => {
    expect(
      keeps((victim) => {
        for (let id = 0; id < 1_000; id++) victim.tell(stream(4 * id, 2_000, 1));
      }),
    ).toBeLessThan(1_000 * 32_768);
  });

  test("packet numbers with gaps", () => {
    expect(
      keeps((victim) => {
        const writer = new PacketWriter(100);
        for (let number = 10; number < 400_000; number += 2) {
          writer.begin(100);
          writer.varint(number);
          writer.byte(FrameType.Ping);
          victim.give(writer.finish());
        }
        victim.sent.length = 0;
      }),
    ).toBeLessThan(WINDOW);
  });

  test("streams that are opened and given up at once, for ever", () => {
    expect(
      keeps((victim) => {
        for (let id = 1; id < 10_000; id++) {
          victim.tell(control(FrameType.ResetStream, 4 * id, 0, 0), control(FrameType.StopSending, 4 * id, 0));
          // An honest acknowledgement of all there is, so that they can end.
          victim.tell((writer) => void writeAck(writer, [0, victim.transport.stats.packetsSent], 0));
          victim.events.length = 0;
          victim.sent.length = 0;
        }
      }),
    ).toBeLessThan(4 * WINDOW);
  });

  test("datagrams that nobody takes", () => {
    const transport = new Transport(0, { role: "listener", random: randomFrom(1) });
    const writer = new PacketWriter(1_200);
    for (let number = 0; number < 10_000; number++) {
      writer.begin(1_200);
      writer.varint(number);
      writeDatagram(writer, Buffer.alloc(100));
      transport.receive(0, Buffer.from(writer.finish()));
    }
    expect(transport.takeEvents().length).toBeLessThanOrEqual(1_024);
  });
});

test("acknowledging the same packets for ever changes nothing", () => {
  const victim = new Victim();
  const opened = victim.transport.open();
  opened?.write(Buffer.alloc(100_000));
  victim.flush();
  const sent = victim.transport.stats.packetsSent;
  for (let i = 0; i < 1_000; i++) victim.tell((writer) => void writeAck(writer, [0, 1], 0));
  expect(victim.closed).toBeUndefined();
  expect(victim.transport.stats.packetsSent - sent).toBeLessThan(60);
});

/** Bytes that are still reachable. */
function memoryInUse(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Frames that are well-formed, and mostly nonsense. */
const small = fc.oneof(fc.nat(12), fc.nat(3_000_000), fc.maxSafeNat());
const frame = fc.oneof(
  fc.tuple(small, small, fc.nat(300), fc.boolean()).map(([id, offset, length, fin]) => stream(id, Math.min(offset, 2 ** 52), length, fin)),
  fc
    .tuple(
      fc.constantFrom(FrameType.ResetStream, FrameType.StopSending, FrameType.MaxStreamData, FrameType.MaxData, FrameType.MaxStreams),
      small,
      small,
      small,
    )
    .map(([type, a, b, c]) =>
      type === FrameType.ResetStream
        ? control(type, a, b, c)
        : type === FrameType.MaxData || type === FrameType.MaxStreams
          ? control(type, a)
          : control(type, a, b),
    ),
  fc.tuple(fc.nat(40), fc.nat(40)).map(
    ([start, length]): Write =>
      (writer) =>
        void writeAck(writer, [start, start + length + 1], 0),
  ),
  fc.uint8Array({ maxLength: 50 }).map(
    (data): Write =>
      (writer) =>
        writeDatagram(writer, data),
  ),
  fc.constant<Write>((writer) => writer.byte(FrameType.Ping)),
);

test("whatever frames come in whatever order, nothing throws, and a closed connection stays closed", () => {
  const runs = Number(process.env.AWL_HOSTILE ?? 20_000) / 40;
  fc.assert(
    fc.property(fc.array(fc.array(frame, { minLength: 1, maxLength: 4 }), { maxLength: 40 }), (packets) => {
      const victim = new Victim();
      const mine = victim.transport.open();
      mine?.write(Buffer.alloc(5_000));
      for (const frames of packets) {
        victim.tell(...frames);
        for (const event of victim.events.splice(0)) {
          if (event.type === "readable") while (event.stream.read());
          if (event.type === "closed") expect(victim.transport.open()).toBeUndefined();
        }
        victim.now += 30;
      }
    }),
    { numRuns: runs },
  );
});

test("whatever bytes come, nothing throws", () => {
  const runs = Number(process.env.AWL_HOSTILE ?? 20_000) / 10;
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (packets) => {
      const victim = new Victim();
      for (const bytes of packets) victim.give(bytes);
    }),
    { numRuns: runs },
  );
});
