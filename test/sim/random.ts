/** A small seeded generator (sfc32): the same seed gives the same world, packet for packet. */
export class Random {
  #a = 0x9e3779b9;
  #b = 0x243f6a88;
  #c: number;
  #d = 1;

  /** `seed`: an integer below 2^32. */
  constructor(seed: number) {
    this.#c = seed >>> 0;
    // The authors' advice: so many draws until every bit of the seed has reached every bit of the state.
    for (let i = 0; i < 12; i++) this.uint32();
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#d++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A whole number from 0 on, below `end`. */
  below(end: number): number {
    return Math.floor(this.unit() * end);
  }

  /** Whether it happens, of a chance between 0 and 1. What cannot happen costs no draw. */
  happens(chance: number): boolean {
    return chance > 0 && this.unit() < chance;
  }

  pick<T>(items: readonly [T, ...T[]] | readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = this.uint32();
    return bytes;
  }

  /** Another generator, whose draws do not shift those of this one. */
  fork(): Random {
    return new Random(this.uint32());
  }
}
