import { DATAGRAM_OVERHEAD, writeDatagram } from "./frame-encode.js";
import type { PacketWriter } from "./packet-writer.js";

/** What waits to be sent, bytes: more is refused, since a datagram that waits long is worth little. */
const CAPACITY = 262_144;

/** The application's datagrams on their way out: RFC 9221. They are sent once. */
export class DatagramQueue {
  readonly #waiting: Uint8Array[] = [];
  #bytes = 0;
  /** Datagrams and streams take turns at being first in a packet, so that neither starves the other. */
  #isTurn = true;

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** @returns whether it was taken */
  push(datagram: Uint8Array): boolean {
    if (this.#bytes + datagram.length > CAPACITY) return false;
    this.#waiting.push(Uint8Array.from(datagram));
    this.#bytes += datagram.length;
    return true;
  }

  /** Writes as many as fit, if it is their turn. `alone`: nobody else has something to send. `longest`: what a packet holds. */
  write(writer: PacketWriter, alone: boolean, longest: number): void {
    this.#isTurn = !this.#isTurn || alone;
    for (let next = this.#waiting[0]; this.#isTurn && next; next = this.#waiting[0]) {
      if (next.length <= longest) {
        if (next.length + DATAGRAM_OVERHEAD > writer.room) return;
        writeDatagram(writer, next);
      }
      // Else it has become too long when the path changed.
      this.#shift();
    }
  }

  clear(): void {
    this.#waiting.length = 0;
    this.#bytes = 0;
  }

  #shift(): void {
    this.#bytes -= this.#waiting.shift()?.length ?? 0;
  }
}
