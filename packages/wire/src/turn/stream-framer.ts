import { asBuffer } from "../bytes.js";
import { HEADER_LENGTH } from "../stun/message.js";
import { CHANNEL_HEADER_LENGTH } from "./channel-data.js";

/** Why a byte stream is not one of STUN and ChannelData. There is no way to find the next frame: close the connection. */
export type StreamFault = "not-stun-or-channel-data" | "bad-length" | "frame-too-long";

/**
 * Cuts a TCP or TLS byte stream into STUN messages and ChannelData. RFC 8489 section 6.2.2, RFC 8656 section 12.5.
 *
 * Holds at most one incomplete frame, so at most `maxFrame` bytes and what `push` is given.
 */
export class StreamFramer {
  readonly #maxFrame: number;
  #pending: Buffer = Buffer.alloc(0);
  #fault: StreamFault | undefined;

  /** `maxFrame`: the longest frame to accept, in bytes, its header included. */
  constructor(maxFrame = 0xffff + HEADER_LENGTH) {
    this.#maxFrame = maxFrame;
  }

  /** Takes the next bytes of the stream; returns the frames they complete (ChannelData with its padding), or a fault, then for good. */
  push(chunk: Uint8Array): Buffer[] | StreamFault {
    if (this.#fault) return this.#fault;
    const bytes = this.#pending.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#pending, chunk]);
    const frames: Buffer[] = [];
    let at = 0;
    while (bytes.length - at >= CHANNEL_HEADER_LENGTH) {
      const length = frameLength(bytes, at);
      if (typeof length === "string") return this.#fail(length);
      if (length > this.#maxFrame) return this.#fail("frame-too-long");
      if (bytes.length - at < length) break;
      frames.push(bytes.subarray(at, at + length));
      at += length;
    }
    // A copy: a view would keep the whole chunk alive for the sake of its last bytes.
    this.#pending = Buffer.from(bytes.subarray(at));
    return frames;
  }

  #fail(fault: StreamFault): StreamFault {
    this.#fault = fault;
    this.#pending = Buffer.alloc(0);
    return fault;
  }
}

function frameLength(bytes: Buffer, at: number): number | StreamFault {
  const kind = bytes.readUInt8(at) >> 6;
  const length = bytes.readUInt16BE(at + 2);
  if (kind === 0) return (length & 3) === 0 ? HEADER_LENGTH + length : "bad-length";
  if (kind === 1) return CHANNEL_HEADER_LENGTH + ((length + 3) & ~3);
  return "not-stun-or-channel-data";
}
