/** The largest integer that one of RFC 9000's varints may carry here: beyond it a JavaScript number is not exact. */
export const MAX_VARINT = Number.MAX_SAFE_INTEGER;

/** How many bytes the varint of this value takes (RFC 9000 section 16). */
export function varintLength(value: number): 1 | 2 | 4 | 8 {
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  return value < 0x4000_0000 ? 4 : 8;
}

/** Writes packets one after the other into the same memory: what is finished must be sent before the next begins. */
export class PacketWriter {
  readonly #bytes: Buffer;
  #at = 0;
  #limit = 0;

  /** `capacity`: the longest packet there will be, bytes. */
  constructor(capacity: number) {
    this.#bytes = Buffer.alloc(capacity);
  }

  /** Starts over, for a packet of at most `limit` bytes. */
  begin(limit: number): void {
    this.#at = 0;
    this.#limit = Math.min(limit, this.#bytes.length);
  }

  get length(): number {
    return this.#at;
  }

  /** Bytes that still fit. Writing more is a mistake of the caller's. */
  get room(): number {
    return this.#limit - this.#at;
  }

  /** A view that the next `begin` invalidates. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  /** RFC 9000 section 16: the two highest bits say how long it is. */
  varint(value: number): void {
    if (value < 0x40) this.byte(value);
    else if (value < 0x4000) this.varint2(value);
    else if (value < 0x4000_0000) this.#at = this.#bytes.writeUInt32BE(0x8000_0000 + value, this.#at);
    else {
      this.#at = this.#bytes.writeUInt32BE(0xc000_0000 + Math.floor(value / 2 ** 32), this.#at);
      this.#at = this.#bytes.writeUInt32BE(value % 2 ** 32, this.#at);
    }
  }

  /** A varint of two bytes, for a value that would fit one as well: its length is known before its value is. */
  varint2(value: number): void {
    this.byte(0x40 | (value >> 8));
    this.byte(value & 0xff);
  }

  bytes(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Zeros up to the limit, which are PADDING frames. */
  pad(): void {
    this.#bytes.fill(0, this.#at, this.#limit);
    this.#at = this.#limit;
  }
}
