import { expect, test } from "vitest";
import { decodePacket } from "./frame.js";
import { PacketWriter } from "./packet-writer.js";
import { ReceivedPackets } from "./received-packets.js";

function ackOf(received: ReceivedPackets, now: number) {
  const writer = new PacketWriter(1_000);
  writer.begin(1_000);
  writer.varint(0);
  return received.write(writer, now) ? decodePacket(writer.finish())?.frames[0] : undefined;
}

test("RFC 9000 section 13.2.2: every second packet at first, every tenth later, none later than a quarter of a round trip", () => {
  const received = new ReceivedPackets();
  received.add(0, 0, true, 40);
  expect(received.ackAt).toBe(10);
  received.add(1, 1, true, 40);
  expect(received.ackAt).toBe(1);
  expect(ackOf(received, 1)).toEqual({ type: "ack", delayMs: 0, ranges: [0, 1] });
  expect(received.ackAt).toBe(Number.POSITIVE_INFINITY);

  for (let number = 2; number < 101; number++) received.add(2, number, true, 40);
  ackOf(received, 2);
  for (let number = 101; number < 110; number++) received.add(3, number, true, 40);
  expect(received.ackAt).toBe(13);
  received.add(4, 110, true, 40);
  expect(received.ackAt).toBe(4);
});

test("section 13.2.1: what is out of order is acknowledged at once, and what asks for nothing is not", () => {
  const received = new ReceivedPackets();
  received.add(0, 0, false, 40);
  expect(received.ackAt).toBe(Number.POSITIVE_INFINITY);
  expect(ackOf(received, 0)).toBeUndefined();
  received.add(5, 2, true, 40);
  expect(received.ackAt).toBe(5);
  expect(ackOf(received, 9)).toEqual({ type: "ack", delayMs: 4, ranges: [2, 2, 0, 0] });
});

test("what is too old to know counts as known", () => {
  const received = new ReceivedPackets();
  for (let number = 0; number < 2_000; number += 2) received.add(0, number, true, 40);
  expect(received.isKnown(1)).toBe(true);
  expect(received.isKnown(1_997)).toBe(false);
  expect(received.isKnown(1_998)).toBe(true);
  expect(received.isKnown(2_000)).toBe(false);
});
