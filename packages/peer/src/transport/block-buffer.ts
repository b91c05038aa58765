/** Memory is had in pieces of this size. */
export const BLOCK_LENGTH = 16_384;

/**
 * Bytes by their offset in a stream, in blocks that are made when first written to and dropped when no longer needed.
 *
 * However small the pieces and wide the gaps between them, it takes no more memory than the span of offsets in use, and a block.
 */
export class BlockBuffer {
  readonly #blocks = new Map<number, Buffer>();
  #first = 0;

  write(offset: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const index = Math.floor((offset + done) / BLOCK_LENGTH);
      const at = offset + done - index * BLOCK_LENGTH;
      const length = Math.min(BLOCK_LENGTH - at, bytes.length - done);
      this.#block(index).set(length === bytes.length ? bytes : bytes.subarray(done, done + length), at);
      done += length;
    }
  }

  /** A view of what was written at `offset`: up to `end`, or the end of a block. */
  view(offset: number, end: number): Buffer {
    const index = Math.floor(offset / BLOCK_LENGTH);
    const start = index * BLOCK_LENGTH;
    return this.#block(index).subarray(offset - start, Math.min(end - start, BLOCK_LENGTH));
  }

  /** Drops the blocks that lie before this offset. */
  release(offset: number): void {
    const first = Math.floor(offset / BLOCK_LENGTH);
    for (; this.#first < first; this.#first++) this.#blocks.delete(this.#first);
  }

  clear(): void {
    this.#blocks.clear();
  }

  #block(index: number): Buffer {
    const known = this.#blocks.get(index);
    if (known) return known;
    const block = Buffer.allocUnsafeSlow(BLOCK_LENGTH);
    this.#blocks.set(index, block);
    return block;
  }
}
