import type { SentPacket } from "./sent-packet.js";

const INITIAL_CAPACITY = 256;

/** Packets by number, in a ring that grows when it must. What needs no acknowledgement takes a number and no place. */
export class SentPackets {
  #ring: (SentPacket | undefined)[] = new Array(INITIAL_CAPACITY).fill(undefined);
  #first = 0;
  #next = 0;

  /** The lowest number that is kept. */
  get first(): number {
    return this.#first;
  }

  /** The number that the next packet gets. */
  get next(): number {
    return this.#next;
  }

  /** `undefined`: a packet that nobody will acknowledge. */
  push(packet: SentPacket | undefined): void {
    if (this.#next - this.#first === this.#ring.length) this.#grow();
    this.#ring[this.#next % this.#ring.length] = packet;
    this.#next += 1;
    if (!packet && this.#first === this.#next - 1) this.#first = this.#next;
  }

  get(number: number): SentPacket | undefined {
    return number < this.#first || number >= this.#next ? undefined : this.#ring[number % this.#ring.length];
  }

  /** Forgets packets from the lowest number on, as long as they are no longer needed. */
  trim(isNeeded: (packet: SentPacket) => boolean): void {
    for (; this.#first < this.#next; this.#first++) {
      const at = this.#first % this.#ring.length;
      const packet = this.#ring[at];
      if (packet && isNeeded(packet)) return;
      this.#ring[at] = undefined;
    }
  }

  #grow(): void {
    const larger: (SentPacket | undefined)[] = new Array(2 * this.#ring.length).fill(undefined);
    for (let number = this.#first; number < this.#next; number++) {
      larger[number % larger.length] = this.#ring[number % this.#ring.length];
    }
    this.#ring = larger;
  }
}
