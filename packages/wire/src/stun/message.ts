import { asBuffer, padded, uint16At } from "../bytes.js";
import type { Attribute } from "./attribute.js";
import { ATTRIBUTES, Fingerprint, MessageIntegrity, MessageIntegritySha256 } from "./attributes.js";
import { fingerprintOf } from "./integrity.js";
import { classOf, HEADER_LENGTH, MAGIC_COOKIE, methodOf, type StunClass } from "./registry.js";

/** Why some bytes are no STUN message. Each is a counter's name: what has a fault is dropped, never answered. */
export type StunFault =
  | "too-short"
  | "not-stun"
  | "bad-length"
  | "attribute-overrun"
  | "too-many-attributes"
  | "bad-attribute"
  | "bad-fingerprint"
  | "fingerprint-not-last";

/** Bounds the work that one datagram can ask for. The largest honest message, a CreatePermission, has a few dozen. */
const MAX_ATTRIBUTES = 128;

/**
 * Reads one whole STUN message (RFC 8489 section 5), or says why the bytes are none. Never throws.
 *
 * - Every attribute that Awl knows is checked here; a malformed one is a fault of the message. Values are made when asked for.
 * - FINGERPRINT is verified. MESSAGE-INTEGRITY is not (`verifyIntegrity`: it takes a key).
 * - Attributes behind MESSAGE-INTEGRITY are not there for the reader, except for MESSAGE-INTEGRITY-SHA256 and FINGERPRINT.
 * - A message without the magic cookie is one of RFC 3489: its transaction id has 16 bytes instead of 12.
 *
 * The message is a view of `bytes`: do not reuse that memory while the message lives.
 */
export function decodeMessage(bytes: Uint8Array): StunMessage | StunFault {
  const buffer = asBuffer(bytes);
  const end = buffer.length;
  if (end < HEADER_LENGTH) return "too-short";
  if (((buffer[0] ?? 0) & 0xc0) !== 0) return "not-stun";
  const length = uint16At(buffer, 2);
  if (length !== end - HEADER_LENGTH || (length & 3) !== 0) return "bad-length";

  const offsets: number[] = [];
  let unknownRequired: number[] | undefined;
  let count = 0;
  /** The integrity attribute that has been passed, the stronger one of two: what follows it is not protected. */
  let passed = 0;
  for (let at = HEADER_LENGTH; at < end; ) {
    const type = uint16At(buffer, at);
    const size = uint16At(buffer, at + 2);
    const next = at + 4 + padded(size);
    if (next > end) return "attribute-overrun";
    if (++count > MAX_ATTRIBUTES) return "too-many-attributes";

    if (passed === 0 || type === Fingerprint.type || (passed === MessageIntegrity.type && type === MessageIntegritySha256.type)) {
      const known = KNOWN.get(type);
      if (known) {
        if (!known.fits(buffer, at + 4, size)) return "bad-attribute";
        offsets.push(at);
      } else if (type < 0x8000) {
        unknownRequired ??= [];
        unknownRequired.push(type);
      }
      if (type === MessageIntegrity.type || type === MessageIntegritySha256.type) passed = type;
      if (type === Fingerprint.type) {
        if (next !== end) return "fingerprint-not-last";
        if (Fingerprint.read(buffer, at + 4, size) !== fingerprintOf(buffer, at)) return "bad-fingerprint";
      }
    }
    at = next;
  }
  return new StunMessage(buffer, offsets, unknownRequired ?? NONE);
}

/** A decoded STUN message. Made by {@link decodeMessage} only. */
export class StunMessage {
  readonly method: number;
  readonly class: StunClass;
  /** Comprehension-required attribute types that Awl does not know: a request that has any is answered 420. RFC 8489 section 6.3.1. */
  readonly unknownRequired: readonly number[];
  /** The bytes that the message was read from. */
  readonly bytes: Buffer;
  /** Where the headers of the attributes stand in `bytes`: of the known ones, without those that integrity does not cover. */
  readonly #offsets: readonly number[];

  constructor(bytes: Buffer, offsets: readonly number[], unknownRequired: readonly number[]) {
    const type = uint16At(bytes, 0);
    this.method = methodOf(type);
    this.class = classOf(type);
    this.bytes = bytes;
    this.unknownRequired = unknownRequired;
    this.#offsets = offsets;
  }

  /** 12 bytes, or 16 in a message of RFC 3489; a view of `bytes`. */
  get transactionId(): Buffer {
    return this.bytes.subarray(this.classic ? 4 : 8, HEADER_LENGTH);
  }

  /** Whether it came without the magic cookie: from an agent of RFC 3489, which knows no XOR-MAPPED-ADDRESS. */
  get classic(): boolean {
    return this.bytes.readUInt32BE(4) !== MAGIC_COOKIE;
  }

  /** The value of the first attribute of this type: of duplicates, only the first counts. RFC 8489 section 14. */
  get<T>(attribute: Attribute<T>): T | undefined {
    const at = this.offsetOf(attribute);
    return at === undefined ? undefined : this.#read(attribute, at);
  }

  /** All values of a type that may be repeated, such as XOR-PEER-ADDRESS in CreatePermission. */
  all<T>(attribute: Attribute<T>): T[] {
    return this.#offsets.filter((at) => uint16At(this.bytes, at) === attribute.type).map((at) => this.#read(attribute, at));
  }

  has(attribute: Attribute<unknown>): boolean {
    return this.offsetOf(attribute) !== undefined;
  }

  /** Where in `bytes` the first attribute of this type begins. */
  offsetOf(attribute: Attribute<unknown>): number | undefined {
    for (const at of this.#offsets) if (uint16At(this.bytes, at) === attribute.type) return at;
    return undefined;
  }

  #read<T>(attribute: Attribute<T>, at: number): T {
    return attribute.read(this.bytes, at + 4, uint16At(this.bytes, at + 2));
  }
}

const NONE: readonly number[] = [];

const KNOWN: ReadonlyMap<number, Attribute<unknown>> = new Map(ATTRIBUTES.map((attribute) => [attribute.type, attribute]));
