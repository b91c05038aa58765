import { ACK_DELAY_UNIT_MS, FrameType, StreamBit } from "./frame-type.js";
import { PacketReader } from "./packet-reader.js";

/** A packet: its number, then frames up to its end. */
export interface Packet {
  readonly number: number;
  readonly frames: readonly Frame[];
}

export interface AckFrame {
  readonly type: "ack";
  readonly delayMs: number;
  /** Lowest and highest number, both acknowledged, of one range after the other; the highest range first. */
  readonly ranges: readonly number[];
}

export interface StreamFrame {
  readonly type: "stream";
  readonly stream: number;
  readonly offset: number;
  /** A view of the packet. */
  readonly data: Uint8Array;
  readonly fin: boolean;
}

/** What a packet says. PADDING says nothing. */
export type Frame =
  | { readonly type: "ping" }
  | AckFrame
  | { readonly type: "reset-stream"; readonly stream: number; readonly code: number; readonly finalSize: number }
  | { readonly type: "stop-sending"; readonly stream: number; readonly code: number }
  | StreamFrame
  | { readonly type: "max-data"; readonly limit: number }
  | { readonly type: "max-stream-data"; readonly stream: number; readonly limit: number }
  | { readonly type: "max-streams"; readonly limit: number }
  /** `code`: a number of RFC 9000 section 20.1, or of the application's own. */
  | { readonly type: "close"; readonly isApplication: boolean; readonly code: number; readonly text: string }
  | { readonly type: "datagram"; readonly data: Uint8Array };

/** Longer explanations of a CLOSE are cut. */
const MAX_CLOSE_TEXT = 256;

/** `undefined`: not a packet (RFC 9000 section 12.4: no frame, an unknown one, or one that is cut short). Never throws. */
export function decodePacket(bytes: Uint8Array): Packet | undefined {
  const reader = new PacketReader(bytes);
  const number = reader.varint();
  const frames: Frame[] = [];
  if (reader.left === 0) return undefined;
  for (reader.skipPadding(); reader.left > 0; reader.skipPadding()) {
    const frame = decodeFrame(reader);
    if (!frame || reader.broken) return undefined;
    frames.push(frame);
  }
  return { number, frames };
}

function decodeFrame(reader: PacketReader): Frame | undefined {
  const type = reader.varint();
  if ((type & ~7) === FrameType.Stream) return decodeStream(reader, type);
  switch (type) {
    case FrameType.Ping:
      return { type: "ping" };
    case FrameType.Ack:
      return decodeAck(reader);
    case FrameType.ResetStream:
      return { type: "reset-stream", stream: reader.varint(), code: reader.varint(), finalSize: reader.varint() };
    case FrameType.StopSending:
      return { type: "stop-sending", stream: reader.varint(), code: reader.varint() };
    case FrameType.MaxData:
      return { type: "max-data", limit: reader.varint() };
    case FrameType.MaxStreamData:
      return { type: "max-stream-data", stream: reader.varint(), limit: reader.varint() };
    case FrameType.MaxStreams:
      return { type: "max-streams", limit: reader.varint() };
    case FrameType.Close:
    case FrameType.CloseApplication:
      return decodeClose(reader, type === FrameType.CloseApplication);
    case FrameType.Datagram:
      return { type: "datagram", data: reader.bytes(reader.left) };
    case FrameType.DatagramWithLength:
      return { type: "datagram", data: reader.bytes(reader.varint()) };
    default:
      return undefined;
  }
}

/** RFC 9000 section 19.8; the last byte's offset must be one that can be counted with. */
function decodeStream(reader: PacketReader, type: number): Frame | undefined {
  const stream = reader.varint();
  const offset = type & StreamBit.Offset ? reader.varint() : 0;
  const data = reader.bytes(type & StreamBit.Length ? reader.varint() : reader.left);
  if (offset + data.length > Number.MAX_SAFE_INTEGER) return undefined;
  return { type: "stream", stream, offset, data, fin: (type & StreamBit.Fin) !== 0 };
}

/** RFC 9000 section 19.3: gaps and lengths, from the largest number downwards. */
function decodeAck(reader: PacketReader): Frame | undefined {
  let high = reader.varint();
  const delayMs = reader.varint() * ACK_DELAY_UNIT_MS;
  let more = reader.varint();
  let low = high - reader.varint();
  const ranges = [low, high];
  for (; more > 0 && !reader.broken; more--) {
    high = low - reader.varint() - 2;
    low = high - reader.varint();
    ranges.push(low, high);
  }
  return low < 0 ? undefined : { type: "ack", delayMs, ranges };
}

function decodeClose(reader: PacketReader, isApplication: boolean): Frame {
  const code = reader.varint();
  const text = Buffer.from(reader.bytes(reader.varint())).toString("utf8");
  return { type: "close", isApplication, code, text: text.slice(0, MAX_CLOSE_TEXT) };
}
