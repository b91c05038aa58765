import { numberOfCode } from "./close-code.js";
import { writeClose } from "./frame-encode.js";
import type { PacketWriter } from "./packet-writer.js";
import type { CloseReason } from "./transport-io.js";

/** The end of a connection that we closed: RFC 9000 section 10.2.1. The CLOSE is repeated while the peer seems not to know of it. */
export class Closing {
  readonly #reason: CloseReason;
  readonly #until: number;
  #isDue = true;
  #heard = 0;

  /** `until`: when the peer has had time enough. */
  constructor(reason: CloseReason, until: number) {
    this.#reason = reason;
    this.#until = until;
  }

  isOver(now: number): boolean {
    return now >= this.#until;
  }

  get deadline(): number {
    return this.#until;
  }

  /** The peer still sends. It is answered ever less often: its first packet, its second, its fourth, … */
  heard(): void {
    this.#heard += 1;
    this.#isDue ||= (this.#heard & (this.#heard - 1)) === 0;
  }

  /** Writes a CLOSE frame if one is due. @returns whether it did */
  write(writer: PacketWriter): boolean {
    if (!this.#isDue) return false;
    this.#isDue = false;
    const { code, applicationCode, text } = this.#reason;
    if (code === "application") writeClose(writer, true, applicationCode, text);
    else writeClose(writer, false, numberOfCode(code), text);
    return true;
  }
}
