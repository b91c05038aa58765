import { BlockBuffer } from "./block-buffer.js";
import { Presence } from "./presence.js";

/** Puts the pieces of a stream in order. Whoever inserts has checked that they lie within the window. */
export class Reassembly {
  readonly #blocks = new BlockBuffer();
  readonly #presence = new Presence();
  /** Up to here it was read. */
  #read = 0;
  /** Up to here it is complete. */
  #complete = 0;
  /** Up to here there is something. */
  #highest = 0;

  /** How much was read, bytes. */
  get read(): number {
    return this.#read;
  }

  get readable(): number {
    return this.#complete - this.#read;
  }

  insert(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    if (end <= this.#complete) return;
    const start = Math.max(offset, this.#complete);
    this.#blocks.write(start, start === offset ? bytes : bytes.subarray(start - offset));
    if (start > this.#complete) {
      this.#presence.add(start, end);
    } else {
      this.#complete = end < this.#highest ? this.#presence.missingFrom(end) : end;
      this.#presence.release(this.#complete);
    }
    this.#highest = Math.max(this.#highest, end);
  }

  /** The next bytes in order, in memory of their own; `undefined` if they are not there yet. */
  take(): Buffer | undefined {
    if (this.readable === 0) return undefined;
    const bytes = this.#blocks.view(this.#read, this.#complete);
    this.#read += bytes.length;
    this.#blocks.release(this.#read);
    return bytes;
  }

  clear(): void {
    this.#blocks.clear();
    this.#presence.clear();
  }
}
