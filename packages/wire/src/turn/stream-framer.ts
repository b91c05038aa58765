import { asBuffer, padded } from "../bytes.js";
import { HEADER_LENGTH } from "../stun/registry.js";
import { CHANNEL_HEADER_LENGTH } from "./channel-data.js";

/** Why a byte stream is not one of STUN and ChannelData. There is no way to find the next frame: close the connection. */
export type StreamFault = "not-stun-or-channel-data" | "bad-length" | "frame-too-long";

/**
 * Cuts a TCP or TLS byte stream into STUN messages and ChannelData. RFC 8489 section 6.2.2, RFC 8656 section 12.5.
 *
 * Holds at most one incomplete frame, in at most twice its memory, so a peer that announces a long frame costs what it sends.
 */
export class StreamFramer {
  readonly #maxFrame: number;
  #memory: Buffer = EMPTY;
  #held = 0;
  #fault: StreamFault | undefined;

  /** `maxFrame`: the longest frame to accept, in bytes, its header included. */
  constructor(maxFrame = 0xffff + HEADER_LENGTH) {
    this.#maxFrame = maxFrame;
  }

  /** Bytes of an incomplete frame that wait for the rest of it. */
  get held(): number {
    return this.#held;
  }

  /**
   * Takes the next bytes of the stream; returns the frames they complete (ChannelData with its padding), which may be views of `chunk`.
   * Or a fault, then for good; what came before it in the same chunk is lost with the connection.
   */
  push(chunk: Uint8Array): Buffer[] | StreamFault {
    if (this.#fault) return this.#fault;
    const bytes = this.#held === 0 ? asBuffer(chunk) : this.#append(chunk);
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
    // Copied, unless it stands in memory of ours that no frame was cut from: a view would keep the whole chunk alive.
    if (at > 0 || this.#held === 0) this.#memory = Buffer.from(bytes.subarray(at));
    this.#held = bytes.length - at;
    return frames;
  }

  /** Grows by doubling: a frame that comes byte by byte must not be copied with every byte. */
  #append(chunk: Uint8Array): Buffer {
    const length = this.#held + chunk.length;
    if (length > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#memory.length));
      larger.set(this.#memory.subarray(0, this.#held));
      this.#memory = larger;
    }
    this.#memory.set(chunk, this.#held);
    return this.#memory.subarray(0, length);
  }

  #fail(fault: StreamFault): StreamFault {
    this.#fault = fault;
    this.#memory = EMPTY;
    this.#held = 0;
    return fault;
  }
}

const EMPTY = Buffer.alloc(0);

function frameLength(bytes: Buffer, at: number): number | StreamFault {
  const kind = bytes.readUInt8(at) >> 6;
  const length = bytes.readUInt16BE(at + 2);
  if (kind === 0) return (length & 3) === 0 ? HEADER_LENGTH + length : "bad-length";
  if (kind === 1) return CHANNEL_HEADER_LENGTH + padded(length);
  return "not-stun-or-channel-data";
}
