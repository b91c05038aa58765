import { createCipheriv, createDecipheriv } from "node:crypto";
import type { DirectionKeys } from "../handshake/session-keys.js";
import { ReplayWindow } from "./replay-window.js";

/**
 * A datagram on the wire:
 *
 *     0x80 | counter, 6 bytes | ChaCha20-Poly1305 of (kind, payload) | tag, 16 bytes
 *
 * The first byte tells it from STUN (0x00-0x03) and ChannelData (0x40-0x4F) on the same socket (RFC 7983).
 * The counter, which is also the nonce, never repeats under one key: each direction of each session has a key of its own.
 */
const FIRST_BYTE = 0x80;
const HEADER_LENGTH = 7;
const TAG_LENGTH = 16;
const MAX_COUNTER = 2 ** 48 - 1;

/** What sealing adds to a payload, bytes. */
export const SEALED_OVERHEAD = HEADER_LENGTH + 1 + TAG_LENGTH;

/** What a sealed datagram carries. */
export const Kind = { Data: 0, Control: 1, Ping: 2, Pong: 3 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

export interface Opened {
  readonly kind: number;
  readonly payload: Buffer;
}

/** Why a datagram was not let in; each is a counter's name. */
export type SealFault = "not-sealed" | "forged" | "replayed";

/** Seals what is sent and opens what is received on one session, whatever path it takes. */
export class SealedChannel {
  readonly #keys: DirectionKeys;
  readonly #window = new ReplayWindow();
  #counter = 0;

  constructor(keys: DirectionKeys) {
    this.#keys = keys;
  }

  seal(kind: Kind, payload: Uint8Array): Buffer {
    if (this.#counter >= MAX_COUNTER) throw new RangeError("this key has sealed all that it may");
    const header = Buffer.allocUnsafe(HEADER_LENGTH);
    header[0] = FIRST_BYTE;
    header.writeUIntBE(this.#counter++, 1, 6);
    const cipher = createCipheriv("chacha20-poly1305", this.#keys.send, nonceOf(header), { authTagLength: TAG_LENGTH });
    cipher.setAAD(header, { plaintextLength: payload.length + 1 });
    return Buffer.concat([header, cipher.update(Uint8Array.of(kind)), cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  }

  /** Never throws for what the bytes are. */
  open(bytes: Buffer): Opened | SealFault {
    if (bytes.length < SEALED_OVERHEAD || bytes[0] !== FIRST_BYTE) return "not-sealed";
    const header = bytes.subarray(0, HEADER_LENGTH);
    const plain = this.#decrypt(header, bytes.subarray(HEADER_LENGTH, -TAG_LENGTH), bytes.subarray(-TAG_LENGTH));
    if (!plain) return "forged";
    if (!this.#window.accept(header.readUIntBE(1, 6))) return "replayed";
    return { kind: plain.readUInt8(0), payload: plain.subarray(1) };
  }

  #decrypt(header: Buffer, sealed: Buffer, tag: Buffer): Buffer | undefined {
    const decipher = createDecipheriv("chacha20-poly1305", this.#keys.receive, nonceOf(header), { authTagLength: TAG_LENGTH });
    decipher.setAAD(header, { plaintextLength: sealed.length }).setAuthTag(tag);
    try {
      return Buffer.concat([decipher.update(sealed), decipher.final()]);
    } catch {
      return undefined;
    }
  }
}

function nonceOf(header: Buffer): Buffer {
  const nonce = Buffer.alloc(12);
  header.copy(nonce, 6, 1, HEADER_LENGTH);
  return nonce;
}
