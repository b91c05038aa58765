/** Pings that are on their way; older ones are forgotten. */
const MAX_WAITING = 64;

/** Numbers pings, and times the answers to them. */
export class Pings {
  readonly #sentAt = new Map<number, number>();
  #next = 0;

  /** The payload of another ping: its number, in 4 bytes. */
  next(now: number): Buffer {
    const seq = this.#next++;
    this.#sentAt.set(seq, now);
    for (const old of this.#sentAt.keys()) {
      if (this.#sentAt.size <= MAX_WAITING) break;
      this.#sentAt.delete(old);
    }
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(seq);
    return payload;
  }

  /** `undefined`: not the answer to a ping that is on its way. */
  answered(now: number, payload: Buffer): { seq: number; rttMs: number } | undefined {
    if (payload.length !== 4) return undefined;
    const seq = payload.readUInt32BE();
    const sentAt = this.#sentAt.get(seq);
    if (sentAt === undefined) return undefined;
    this.#sentAt.delete(seq);
    return { seq, rttMs: now - sentAt };
  }
}
