import { type AddressFamily, formatAddress, parseAddress } from "../endpoint/address.js";
import { type Endpoint, isPort } from "../endpoint/endpoint.js";
import { WireError } from "../errors.js";
import type { Codec } from "./attribute.js";

/** RFC 8489 section 14.1: family, port, address. */
export const plainAddress: Codec<Endpoint> = addressCodec(false);

/** RFC 8489 section 14.2: as above, XORed with the cookie and the transaction id, which ALGs do not recognise. */
export const xorAddress: Codec<Endpoint> = addressCodec(true);

/** REALM, NONCE, SOFTWARE and reason phrases are shorter than 763 bytes. RFC 8489 sections 14.8 to 14.14. */
export const TEXT_LIMIT = 762;

/** UTF-8 of at most `limit` bytes. */
export function text(limit: number): Codec<string> {
  return {
    size: (value) => within(limit, Buffer.byteLength(value)),
    write: (message, at, value) => void message.write(value, at, "utf8"),
    read: (message, at, length) => (length > limit ? undefined : message.toString("utf8", at, at + length)),
  };
}

/** Opaque bytes, `min` to `max` of them. Read as a view of the message, not a copy. */
export function bytes(min = 0, max = 0xffff): Codec<Uint8Array> {
  return {
    size: (value) => (value.length < min ? tooLong(value.length) : within(max, value.length)),
    write: (message, at, value) => message.set(value, at),
    read: (message, at, length) => (length < min || length > max ? undefined : message.subarray(at, at + length)),
  };
}

/** An attribute that says all by being there. */
export const flag: Codec<true> = {
  size: () => 0,
  write: () => {},
  read: (_message, _at, length) => (length === 0 ? true : undefined),
};

export const uint32: Codec<number> = {
  size: (value) => (value >>> 0 === value ? 4 : tooLong(value)),
  write: (message, at, value) => void message.writeUInt32BE(value, at),
  read: (message, at, length) => (length === 4 ? message.readUInt32BE(at) : undefined),
};

export const uint64: Codec<bigint> = {
  size: () => 8,
  write: (message, at, value) => void message.writeBigUInt64BE(value, at),
  read: (message, at, length) => (length === 8 ? message.readBigUInt64BE(at) : undefined),
};

/** A 16-bit number followed by two bytes that are zero when sent and ignored when received. */
export const uint16: Codec<number> = {
  size: (value) => (isPort(value) ? 4 : tooLong(value)),
  write: (message, at, value) => void message.writeUInt32BE(value * 0x10000, at),
  read: (message, at, length) => (length === 4 ? message.readUInt16BE(at) : undefined),
};

/** An 8-bit number followed by three bytes that are zero when sent and ignored when received. */
export const uint8: Codec<number> = {
  size: (value) => (isPort(value) && value < 0x100 ? 4 : tooLong(value)),
  write: (message, at, value) => void message.writeUInt32BE(value * 0x1000000, at),
  read: (message, at, length) => (length === 4 ? message.readUInt8(at) : undefined),
};

/** An address family in the first of four bytes. RFC 8656 sections 18.6 and 18.11. */
export const family: Codec<AddressFamily> = {
  size: () => 4,
  write: (message, at, value) => uint8.write(message, at, familyCode(value)),
  read: (message, at, length) => familyOf(uint8.read(message, at, length)),
};

export function familyCode(family: AddressFamily): number {
  return family === 4 ? 0x01 : 0x02;
}

export function familyOf(code: number | undefined): AddressFamily | undefined {
  if (code === 0x01) return 4;
  return code === 0x02 ? 6 : undefined;
}

/** Length check of encoders: returns `length`, or throws where it is above `limit`. */
export function within(limit: number, length: number): number {
  return length > limit ? tooLong(length) : length;
}

function tooLong(value: number): never {
  throw new WireError("bad-attribute", `value does not fit its STUN attribute: ${value}`);
}

function addressCodec(xor: boolean): Codec<Endpoint> {
  return {
    size: ({ address }) => (address.includes(":") ? 20 : 8),
    write(message, at, { address, port }) {
      const bytes = parseAddress(address);
      if (!bytes || !isPort(port)) throw new WireError("bad-attribute", `not an endpoint: ${address} port ${port}`);
      message[at] = 0;
      message[at + 1] = familyCode(bytes.length === 4 ? 4 : 6);
      message.writeUInt16BE(port, at + 2);
      message.set(bytes, at + 4);
      if (xor) applyXor(message, message, at, bytes.length);
    },
    read(message, at, length) {
      const family = familyOf(message[at + 1]);
      if (family === undefined || length !== (family === 4 ? 8 : 20)) return undefined;
      if (!xor) return { address: formatAddress(message, family, at + 4), port: message.readUInt16BE(at + 2) };
      const plain = Buffer.from(message.subarray(at, at + length));
      applyXor(message, plain, 0, length - 4);
      return { address: formatAddress(plain, family, 4), port: plain.readUInt16BE(2) };
    },
  };
}

/**
 * The port is XORed with the first half of the cookie, the address with the cookie and then the transaction id.
 * All of these are header bytes 4 on, which also serves RFC 3489 messages, where they are all transaction id.
 */
function applyXor(header: Buffer, target: Buffer, at: number, addressLength: number): void {
  for (let i = 0; i < 2; i++) target[at + 2 + i] = (target[at + 2 + i] ?? 0) ^ (header[4 + i] ?? 0);
  for (let i = 0; i < addressLength; i++) target[at + 4 + i] = (target[at + 4 + i] ?? 0) ^ (header[4 + i] ?? 0);
}
