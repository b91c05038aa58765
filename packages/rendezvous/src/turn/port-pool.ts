/**
 * The UDP ports of one relay address. Which port comes next nobody can predict (RFC 8656 section 7.2), so that peers' answers
 * cannot be forged by guessing it.
 */
export class PortPool {
  readonly #low: number;
  readonly #taken: Uint8Array;
  readonly #random: (length: number) => Buffer;
  #free: number;

  /** `low` to `high`: both included. */
  constructor(low: number, high: number, random: (length: number) => Buffer) {
    this.#low = low;
    this.#taken = new Uint8Array(high - low + 1);
    this.#random = random;
    this.#free = this.#taken.length;
  }

  get free(): number {
    return this.#free;
  }

  /** Takes a port; an even one if asked, and if asked one whose next is free, and is taken too. RFC 8656 section 7.2. */
  take(even = false, next = false): number | undefined {
    if (this.#free < (next ? 2 : 1)) return undefined;
    const size = this.#taken.length;
    const start = this.#random(4).readUInt32BE(0) % size;
    for (let i = 0; i < size; i++) {
      const index = (start + i) % size;
      if (!this.#isFree(index) || (even && (this.#low + index) % 2 !== 0) || (next && !this.#isFree(index + 1))) continue;
      this.#mark(index);
      if (next) this.#mark(index + 1);
      return this.#low + index;
    }
    return undefined;
  }

  release(port: number): void {
    const index = port - this.#low;
    if (this.#taken[index] !== 1) return;
    this.#taken[index] = 0;
    this.#free++;
  }

  #isFree(index: number): boolean {
    return this.#taken[index] === 0;
  }

  #mark(index: number): void {
    this.#taken[index] = 1;
    this.#free--;
  }
}
