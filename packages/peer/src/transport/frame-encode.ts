import { ACK_DELAY_UNIT_MS, FrameType, StreamBit } from "./frame-type.js";
import { type PacketWriter, varintLength } from "./packet-writer.js";

/** More ranges are not told: who did not hear of the others sends again, no more. */
const MAX_ACK_RANGES = 32;

/** Two varints: a peer may skip as many numbers as it likes. */
const MAX_RANGE_LENGTH = 16;

/** The longest of the frames that are short: type and three varints. */
export const CONTROL_FRAME_LENGTH = 1 + 3 * 8;

/** Everything of a STREAM frame but its data. */
export function streamHeaderLength(stream: number, offset: number): number {
  return 1 + varintLength(stream) + varintLength(offset) + 2;
}

/** The header of a STREAM frame; `length` bytes of data must follow, fewer than 16,384. */
export function writeStreamHeader(writer: PacketWriter, stream: number, offset: number, length: number, fin: boolean): void {
  writer.byte(FrameType.Stream | StreamBit.Offset | StreamBit.Length | (fin ? StreamBit.Fin : 0));
  writer.varint(stream);
  writer.varint(offset);
  writer.varint2(length);
}

/** A frame of one type and up to three numbers. */
export function writeControl(writer: PacketWriter, type: number, a?: number, b?: number, c?: number): void {
  writer.byte(type);
  if (a !== undefined) writer.varint(a);
  if (b !== undefined) writer.varint(b);
  if (c !== undefined) writer.varint(c);
}

/**
 * An ACK frame: `ranges` as half-open pairs, ascending. The newest ranges are told, as many as fit.
 *
 * @returns whether there was room for one
 */
export function writeAck(writer: PacketWriter, ranges: readonly number[], delayMs: number): boolean {
  let last = ranges.length - 2;
  const [start = 0, end = 0] = [ranges[last], ranges[last + 1]];
  const delay = Math.round(delayMs / ACK_DELAY_UNIT_MS);
  const head = 1 + varintLength(end - 1) + varintLength(delay) + 2 + varintLength(end - 1 - start);
  if (last < 0 || writer.room < head) return false;

  const room = Math.min(MAX_ACK_RANGES - 1, Math.floor((writer.room - head) / MAX_RANGE_LENGTH), last / 2);
  writer.byte(FrameType.Ack);
  writer.varint(end - 1);
  writer.varint(delay);
  writer.varint2(room);
  writer.varint(end - 1 - start);
  let lowest = start;
  for (let told = 0; told < room; told++) {
    last -= 2;
    const [low = 0, high = 0] = [ranges[last], ranges[last + 1]];
    writer.varint(lowest - high - 1);
    writer.varint(high - low - 1);
    lowest = low;
  }
  return true;
}

/** A CLOSE frame (RFC 9000 section 19.19, without the frame type that it blames). The text is cut to what fits. */
export function writeClose(writer: PacketWriter, isApplication: boolean, code: number, text: string): void {
  writer.byte(isApplication ? FrameType.CloseApplication : FrameType.Close);
  writer.varint(code);
  const bytes = Buffer.from(text).subarray(0, writer.room - 2);
  writer.varint2(bytes.length);
  writer.bytes(bytes);
}

/** What a DATAGRAM frame adds to its data. */
export const DATAGRAM_OVERHEAD = 3;

/** RFC 9221 section 4. */
export function writeDatagram(writer: PacketWriter, data: Uint8Array): void {
  writer.byte(FrameType.DatagramWithLength);
  writer.varint2(data.length);
  writer.bytes(data);
}
