import { asBuffer } from "../bytes.js";

/** A binary message: sealed data on a link. */
export interface SignalFrame {
  /** The number that the link has on this connection. */
  readonly link: number;
  /** A view of the message, not a copy. At least one byte. */
  readonly data: Buffer;
}

export type SignalFrameFault = "too-short";

export const SIGNAL_FRAME_HEADER = 4;

/** Writes a frame: the link's number, 4 bytes in network order, then the data. */
export function encodeSignalFrame(link: number, data: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(SIGNAL_FRAME_HEADER + data.length);
  frame.writeUInt32BE(link, 0);
  frame.set(data, SIGNAL_FRAME_HEADER);
  return frame;
}

/** Reads a frame. Never throws. */
export function decodeSignalFrame(bytes: Uint8Array): SignalFrame | SignalFrameFault {
  const frame = asBuffer(bytes);
  if (frame.length <= SIGNAL_FRAME_HEADER) return "too-short";
  return { link: frame.readUInt32BE(0), data: frame.subarray(SIGNAL_FRAME_HEADER) };
}
