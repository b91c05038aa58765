import type { Endpoint } from "@awl/wire";

const MAX_DATAGRAMS = 32;
const MAX_BYTES = 64 * 1_024;

interface Waiting {
  readonly to: Endpoint;
  readonly bytes: Uint8Array;
}

/** Datagrams that wait for an allocation or a permission: the latest few. */
export class WaitingRoom {
  #datagrams: Waiting[] = [];
  #bytes = 0;

  /** Returns how many had to give way: the oldest, which are of least use by then. */
  add(to: Endpoint, bytes: Uint8Array): number {
    this.#datagrams.push({ to, bytes });
    this.#bytes += bytes.length;
    let dropped = 0;
    while (this.#datagrams.length > MAX_DATAGRAMS || this.#bytes > MAX_BYTES) {
      this.#bytes -= this.#datagrams.shift()?.bytes.length ?? 0;
      dropped += 1;
    }
    return dropped;
  }

  /** Those that wait for this address, or all, in their order. */
  leave(address?: string): readonly Waiting[] {
    const leaving = this.#datagrams.filter(({ to }) => address === undefined || to.address === address);
    this.#datagrams = this.#datagrams.filter((datagram) => !leaving.includes(datagram));
    this.#bytes = this.#datagrams.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return leaving;
  }
}
