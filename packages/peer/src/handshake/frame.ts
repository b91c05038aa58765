/** - `message`: what the user of a channel sends. - `goodbye`: the last frame, so that an end can be told from a cut. */
export type FrameKind = "message" | "goodbye";

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
}

/** The other side broke the format. */
export type FrameFault = "frame-kind-unknown" | "frame-too-long";

/** The longest payload of a frame, bytes. */
export const MAX_FRAME_PAYLOAD = 65_536;

/** A frame: kind (1 byte), length of the payload (3 bytes, network order), payload. */
export function encodeFrame(kind: FrameKind, payload: Uint8Array): Buffer {
  if (payload.length > MAX_FRAME_PAYLOAD) throw new RangeError(`a message has at most ${MAX_FRAME_PAYLOAD} bytes, not ${payload.length}`);
  const frame = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  frame[0] = KINDS.indexOf(kind);
  frame.writeUIntBE(payload.length, 1, 3);
  frame.set(payload, HEAD_BYTES);
  return frame;
}

/** Cuts a byte stream into frames. Holds at most one unfinished frame besides what was pushed and not yet asked for. */
export class FrameReader {
  /** The longest payload to accept from now on, bytes. */
  limit: number;
  #chunks: Uint8Array[] = [];
  #buffered = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
  }

  /** The next frame; `undefined`: it is not complete yet. A fault stays: the stream cannot be read on. */
  next(): Frame | FrameFault | undefined {
    if (this.#buffered < HEAD_BYTES) return undefined;
    // The head alone says how long to wait: a frame is put together once, not anew for every chunk of it.
    if ((this.#chunks[0]?.length ?? 0) < HEAD_BYTES) this.#join();
    const [type = 0, high = 0, middle = 0, low = 0] = this.#chunks[0]?.subarray(0, HEAD_BYTES) ?? EMPTY;
    const kind = KINDS[type];
    const length = (high << 16) | (middle << 8) | low;
    if (kind === undefined) return "frame-kind-unknown";
    if (length > this.limit) return "frame-too-long";
    if (this.#buffered < HEAD_BYTES + length) return undefined;
    const bytes = this.#join();
    this.#chunks = [bytes.subarray(HEAD_BYTES + length)];
    this.#buffered -= HEAD_BYTES + length;
    return { kind, payload: Uint8Array.from(bytes.subarray(HEAD_BYTES, HEAD_BYTES + length)) };
  }

  #join(): Uint8Array {
    const [first = EMPTY, ...others] = this.#chunks;
    const joined = others.length === 0 ? first : Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}

const HEAD_BYTES = 4;
const KINDS: readonly FrameKind[] = ["message", "goodbye"];
const EMPTY = new Uint8Array(0);
