import { MAX_VARINT } from "./packet-writer.js";

/** Reads a packet from its beginning. What does not fit makes it `broken`, and reads as zero or nothing; nothing throws. */
export class PacketReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #broken = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Something was read that is not there, or is no number that we could count with. */
  get broken(): boolean {
    return this.#broken;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? this.#fail();
  }

  /** RFC 9000 section 16. */
  varint(): number {
    const first = this.byte();
    let value = first & 0x3f;
    for (let more = (1 << (first >> 6)) - 1; more > 0; more--) value = value * 256 + this.byte();
    return value > MAX_VARINT ? this.#fail() : value;
  }

  /** A view of that many bytes. */
  bytes(length: number): Uint8Array {
    if (length > this.left) {
      this.#fail();
      return this.#bytes.subarray(0, 0);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Passes over zeros. */
  skipPadding(): void {
    while (this.#bytes[this.#at] === 0) this.#at += 1;
  }

  #fail(): number {
    this.#broken = true;
    this.#at = this.#bytes.length;
    return 0;
  }
}
