import { asBuffer, padded } from "../bytes.js";
import { WireError } from "../errors.js";

/** RFC 8656 section 12: channel numbers, which are also what tells ChannelData from STUN by its first byte. */
export const MIN_CHANNEL = 0x4000;
export const MAX_CHANNEL = 0x4fff;
/** RFC 5766 section 11: its clients, coturn's among them, use channels up to here. */
export const MAX_CLASSIC_CHANNEL = 0x7fff;
export const CHANNEL_HEADER_LENGTH = 4;

/** RFC 8656 section 12.4. */
export interface ChannelData {
  /** 0x4000-0x4FFF. */
  readonly channel: number;
  /** A view of the datagram, not a copy. */
  readonly data: Buffer;
}

export type ChannelDataFault = "too-short" | "bad-channel" | "bad-length";

/**
 * Writes a ChannelData message. Over TCP and TLS it must be padded to four bytes; over UDP it need not be. RFC 8656 section 12.5.
 * `maxChannel`: `MAX_CLASSIC_CHANNEL` where clients of RFC 5766 are spoken to.
 *
 * @throws {WireError} `bad-channel`
 */
export function encodeChannelData(channel: number, data: Uint8Array, padding = false, maxChannel = MAX_CHANNEL): Buffer {
  if (!isChannel(channel, maxChannel)) throw new WireError("bad-channel", `not a channel number: ${channel}`);
  if (data.length > 0xffff) throw new WireError("bad-channel", `too long for ChannelData: ${data.length} bytes`);
  const length = padding ? padded(data.length) : data.length;
  const message = Buffer.allocUnsafe(CHANNEL_HEADER_LENGTH + length);
  message.writeUInt16BE(channel, 0);
  message.writeUInt16BE(data.length, 2);
  message.set(data, CHANNEL_HEADER_LENGTH);
  message.fill(0, CHANNEL_HEADER_LENGTH + data.length);
  return message;
}

/** Reads one ChannelData message; bytes behind its stated length are padding and ignored. Never throws. */
export function decodeChannelData(bytes: Uint8Array): ChannelData | ChannelDataFault {
  const message = asBuffer(bytes);
  if (message.length < CHANNEL_HEADER_LENGTH) return "too-short";
  const channel = message.readUInt16BE(0);
  if (!isChannel(channel, MAX_CHANNEL)) return "bad-channel";
  const end = CHANNEL_HEADER_LENGTH + message.readUInt16BE(2);
  if (end > message.length) return "bad-length";
  return { channel, data: message.subarray(CHANNEL_HEADER_LENGTH, end) };
}

function isChannel(channel: number, maxChannel: number): boolean {
  return Number.isInteger(channel) && channel >= MIN_CHANNEL && channel <= maxChannel;
}
