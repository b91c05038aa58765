import { asBuffer } from "../bytes.js";
import type { Attribute } from "./attribute.js";
import { ATTRIBUTES, Fingerprint, MessageIntegrity, MessageIntegritySha256 } from "./attributes.js";
import { fingerprintOf } from "./integrity.js";
import { classOf, MAGIC_COOKIE, methodOf, type StunClass } from "./registry.js";

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

export const HEADER_LENGTH = 20;

/**
 * Reads one whole STUN message (RFC 8489 section 5), or says why the bytes are none. Never throws.
 *
 * - Every attribute that Awl knows is decoded and checked here; a malformed one is a fault of the message.
 * - FINGERPRINT is verified. MESSAGE-INTEGRITY is not (`verifyIntegrity`: it takes a key).
 * - Attributes behind MESSAGE-INTEGRITY are not there for the reader, except for MESSAGE-INTEGRITY-SHA256 and FINGERPRINT.
 * - A message without the magic cookie is one of RFC 3489: its transaction id has 16 bytes instead of 12.
 *
 * The message keeps a view of `bytes`: do not reuse that memory while the message lives.
 */
export function decodeMessage(bytes: Uint8Array): StunMessage | StunFault {
  const buffer = asBuffer(bytes);
  if (buffer.length < HEADER_LENGTH) return "too-short";
  if (((buffer[0] ?? 0) & 0xc0) !== 0) return "not-stun";
  const length = buffer.readUInt16BE(2);
  if (length !== buffer.length - HEADER_LENGTH || (length & 3) !== 0) return "bad-length";

  const attributes: DecodedAttribute[] = [];
  const unknownRequired: number[] = [];
  const end = buffer.length;
  let count = 0;
  let integrity: number | undefined;
  let integritySha256: number | undefined;
  for (let at = HEADER_LENGTH; at < end; ) {
    const type = buffer.readUInt16BE(at);
    const size = buffer.readUInt16BE(at + 2);
    const value = at + 4;
    const next = value + ((size + 3) & ~3);
    if (next > end) return "attribute-overrun";
    if (++count > MAX_ATTRIBUTES) return "too-many-attributes";

    const hidden = integritySha256 !== undefined || (integrity !== undefined && type !== MessageIntegritySha256.type);
    if (!hidden || type === Fingerprint.type) {
      const known = KNOWN.get(type);
      const decoded = known?.read(buffer, value, size);
      if (known && decoded === undefined) return "bad-attribute";
      if (known) attributes.push({ type, value: decoded });
      else if (type < 0x8000) unknownRequired.push(type);
      if (type === MessageIntegrity.type) integrity = at;
      if (type === MessageIntegritySha256.type) integritySha256 = at;
      if (type === Fingerprint.type) {
        if (next !== end) return "fingerprint-not-last";
        if (decoded !== fingerprintOf(buffer, at)) return "bad-fingerprint";
      }
    }
    at = next;
  }
  return new StunMessage(buffer, attributes, unknownRequired, { integrity, integritySha256 });
}

interface DecodedAttribute {
  readonly type: number;
  readonly value: unknown;
}

/** A decoded STUN message. Made by {@link decodeMessage} only. */
export class StunMessage {
  readonly method: number;
  readonly class: StunClass;
  /** 12 bytes, or 16 in a message of RFC 3489. */
  readonly transactionId: Buffer;
  /** Comprehension-required attribute types that Awl does not know: a request that has any is answered 420. RFC 8489 section 6.3.1. */
  readonly unknownRequired: readonly number[];
  /** The bytes that the message was read from. */
  readonly bytes: Buffer;
  /** Where the two integrity attributes begin in `bytes`, if they are there. */
  readonly integrityAt: { readonly integrity: number | undefined; readonly integritySha256: number | undefined };
  readonly #attributes: readonly DecodedAttribute[];

  constructor(
    bytes: Buffer,
    attributes: readonly DecodedAttribute[],
    unknownRequired: readonly number[],
    integrityAt: StunMessage["integrityAt"],
  ) {
    const type = bytes.readUInt16BE(0);
    this.method = methodOf(type);
    this.class = classOf(type);
    this.transactionId = bytes.subarray(bytes.readUInt32BE(4) === MAGIC_COOKIE ? 8 : 4, HEADER_LENGTH);
    this.bytes = bytes;
    this.unknownRequired = unknownRequired;
    this.integrityAt = integrityAt;
    this.#attributes = attributes;
  }

  /** Whether it came without the magic cookie: from an agent of RFC 3489, which knows no XOR-MAPPED-ADDRESS. */
  get classic(): boolean {
    return this.transactionId.length === 16;
  }

  /** The value of the first attribute of this type: of duplicates, only the first counts. RFC 8489 section 14. */
  get<T>(attribute: Attribute<T>): T | undefined {
    for (const { type, value } of this.#attributes) if (type === attribute.type) return value as T;
    return undefined;
  }

  /** All values of a type that may be repeated, such as XOR-PEER-ADDRESS in CreatePermission. */
  all<T>(attribute: Attribute<T>): T[] {
    return this.#attributes.filter(({ type }) => type === attribute.type).map(({ value }) => value as T);
  }

  has(attribute: Attribute<unknown>): boolean {
    return this.#attributes.some(({ type }) => type === attribute.type);
  }
}

const KNOWN: ReadonlyMap<number, Attribute<unknown>> = new Map(ATTRIBUTES.map((attribute) => [attribute.type, attribute]));
