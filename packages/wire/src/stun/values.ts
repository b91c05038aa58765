import { putUint16, uint16At } from "../bytes.js";
import { type AddressFamily, addressFamily, formatAddress, parseAddress } from "../endpoint/address.js";
import { type Endpoint, isPort } from "../endpoint/endpoint.js";
import { WireError } from "../errors.js";
import type { Codec } from "./attribute.js";

/** RFC 8489 section 14.1: family, port, address. */
export const plainAddress: Codec<Endpoint> = addressCodec(false);

/** RFC 8489 section 14.2: as above, XORed with the cookie and the transaction id, which ALGs do not recognise. */
export const xorAddress: Codec<Endpoint> = addressCodec(true);

/** REALM, NONCE, SOFTWARE and reason phrases: at most 509 bytes when sent. RFC 8489 sections 14.8 to 14.14. */
export const TEXT_LIMIT = 509;

/** The same, and USERNAME, when received: RFC 5389 allowed up to 763, and its agents still speak. RFC 8489 section 14.3. */
export const RECEIVED_TEXT_LIMIT = 763;

/** UTF-8 of at most `limit` bytes when sent, `receivedLimit` when received. */
export function text(limit: number, receivedLimit: number): Codec<string> {
  return {
    size: (value) => within(limit, Buffer.byteLength(value)),
    write: (message, at, value) => void message.write(value, at, "utf8"),
    fits: (_message, _at, length) => length <= receivedLimit,
    read: (message, at, length) => message.toString("utf8", at, at + length),
  };
}

/** Opaque bytes, `min` to `max` of them, in steps of `step`. Read as a view of the message, not a copy. */
export function bytes(min = 0, max = 0xffff, step = 1): Codec<Uint8Array> {
  const fits = (length: number) => length >= min && length <= max && length % step === 0;
  return {
    size: (value) => (fits(value.length) ? value.length : doesNotFit(`${value.length} bytes`)),
    write: (message, at, value) => message.set(value, at),
    fits: (_message, _at, length) => fits(length),
    read: (message, at, length) => message.subarray(at, at + length),
  };
}

/** An attribute that says all by being there. */
export const flag: Codec<true> = {
  size: () => 0,
  write: () => {},
  fits: (_message, _at, length) => length === 0,
  read: () => true,
};

export const uint32: Codec<number> = {
  size: (value) => sized(4, value, 0xffffffff),
  write: (message, at, value) => void message.writeUInt32BE(value, at),
  fits: isLength(4),
  read: (message, at) => message.readUInt32BE(at),
};

export const uint64: Codec<bigint> = {
  size: (value) => (BigInt.asUintN(64, value) === value ? 8 : doesNotFit(value)),
  write: (message, at, value) => void message.writeBigUInt64BE(value, at),
  fits: isLength(8),
  read: (message, at) => message.readBigUInt64BE(at),
};

/** A 16-bit number followed by two bytes that are zero when sent and ignored when received. */
export const uint16: Codec<number> = {
  size: (value) => sized(4, value, 0xffff),
  write: (message, at, value) => void message.writeUInt32BE(value * 0x10000, at),
  fits: isLength(4),
  read: (message, at) => uint16At(message, at),
};

/** As above; RFC 5780 section 7.5 can be read so that the two bytes are padding, not value, and both readings are sent. */
export const responsePort: Codec<number> = {
  ...uint16,
  fits: (_message, _at, length) => length === 4 || length === 2,
};

/** An 8-bit number followed by three bytes that are zero when sent and ignored when received. */
export const uint8: Codec<number> = {
  size: (value) => sized(4, value, 0xff),
  write: (message, at, value) => void message.writeUInt32BE(value * 0x1000000, at),
  fits: isLength(4),
  read: (message, at) => message.readUInt8(at),
};

/** An address family in the first of four bytes. RFC 8656 sections 18.6 and 18.11. */
export const family: Codec<AddressFamily> = {
  size: () => 4,
  write: (message, at, value) => uint8.write(message, at, familyCode(value)),
  fits: (message, at, length) => length === 4 && isFamilyCode(message[at]),
  read: (message, at) => familyOf(message[at]),
};

export function familyCode(family: AddressFamily): number {
  return family === 4 ? 0x01 : 0x02;
}

export function isFamilyCode(code: number | undefined): boolean {
  return code === 0x01 || code === 0x02;
}

export function familyOf(code: number | undefined): AddressFamily {
  return code === 0x01 ? 4 : 6;
}

/** `value`, or a throw where it is no integer from `min` to `limit`. */
export function within(limit: number, value: number, min = 0): number {
  return Number.isInteger(value) && value >= min && value <= limit ? value : doesNotFit(value);
}

export function isLength(wanted: number): Codec<unknown>["fits"] {
  return (_message, _at, length) => length === wanted;
}

/** The size of a number that fits its field. */
function sized(size: number, value: number, limit: number): number {
  within(limit, value);
  return size;
}

export function doesNotFit(value: unknown): never {
  throw new WireError("bad-attribute", `value does not fit its STUN attribute: ${value}`);
}

/**
 * XORed, the port is masked with the first half of the cookie, the address with the cookie and then the transaction id.
 * All of these are header bytes 4 on, which also serves RFC 3489 messages, where they are all transaction id.
 */
function addressCodec(xor: boolean): Codec<Endpoint> {
  const mask = (message: Buffer, i: number) => (xor ? (message[4 + i] ?? 0) : 0);
  const portMask = (message: Buffer) => (xor ? uint16At(message, 4) : 0);
  return {
    size: ({ address, port }) => (isPort(port) ? sizeOf(addressFamily(address)) : doesNotFit(`port ${port}`)),
    write(message, at, { address, port }) {
      const bytes = parseAddress(address) ?? doesNotFit(`address ${address}`);
      message[at] = 0;
      message[at + 1] = familyCode(bytes.length === 4 ? 4 : 6);
      putUint16(message, at + 2, port ^ portMask(message));
      for (let i = 0; i < bytes.length; i++) message[at + 4 + i] = (bytes[i] ?? 0) ^ mask(message, i);
    },
    fits: (message, at, length) => isFamilyCode(message[at + 1]) && length === sizeOf(familyOf(message[at + 1])),
    read(message, at, length) {
      const bytes = new Uint8Array(length - 4);
      for (let i = 0; i < bytes.length; i++) bytes[i] = (message[at + 4 + i] ?? 0) ^ mask(message, i);
      return { address: formatAddress(bytes, familyOf(message[at + 1])), port: uint16At(message, at + 2) ^ portMask(message) };
    },
  };
}

function sizeOf(family: AddressFamily): number {
  return family === 4 ? 8 : 20;
}
