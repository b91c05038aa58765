/**
 * One STUN attribute type and how its value stands in bytes. RFC 8489 section 14.
 *
 * All byte access is given the whole message: the XOR forms need the cookie and transaction id of its header.
 */
export interface Attribute<T> {
  readonly type: number;
  /** The name in the IANA registry. */
  readonly name: string;
  /** This attribute with a value, for `encodeMessage`. */
  of(value: T): AttributeValue;
  /** Bytes that `write` fills, padding not counted. @throws {WireError} `bad-attribute` if the value does not fit */
  size(value: T): number;
  /** Writes a value that `size` has passed. */
  write(message: Buffer, at: number, value: T): void;
  /** Whether the `length` bytes at `at` are a value of this attribute. `decodeMessage` asks it of every attribute, once. */
  fits(message: Buffer, at: number, length: number): boolean;
  /** The value of bytes that `fits` has passed. */
  read(message: Buffer, at: number, length: number): T;
}

export interface AttributeValue {
  readonly attribute: Attribute<unknown>;
  readonly value: unknown;
}

/** How a value stands in bytes. */
export type Codec<T> = Pick<Attribute<T>, "size" | "write" | "fits" | "read">;

export function attribute<T>(type: number, name: string, codec: Codec<T>): Attribute<T> {
  const self: Attribute<T> = { type, name, ...codec, of: (value) => ({ attribute: self, value }) };
  return self;
}
