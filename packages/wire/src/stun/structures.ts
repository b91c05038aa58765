import type { AddressFamily } from "../endpoint/address.js";
import type { Codec } from "./attribute.js";
import { familyCode, familyOf, TEXT_LIMIT, within } from "./values.js";

/** RFC 8489 section 14.8. */
export interface StunError {
  /** 300-699. */
  readonly code: number;
  /** For people; decide by the code. */
  readonly reason: string;
}

/** RFC 8656 section 18.12: why the allocation of one family failed while the other succeeded. */
export interface AddressError extends StunError {
  readonly family: AddressFamily;
}

/** RFC 8489 section 18.5: 1 is MD5, 2 is SHA-256; neither has parameters. */
export interface PasswordAlgorithmChoice {
  readonly algorithm: number;
  readonly parameters: Uint8Array;
}

/** RFC 8656 section 18.13: the ICMP message that a relayed datagram met. */
export interface IcmpReport {
  readonly type: number;
  readonly code: number;
  /** The next hop's MTU where type and code say "too big". */
  readonly data: number;
}

/** RFC 5780 section 7.2: whether the answer is to come from the server's other address, its other port, or both. */
export interface ChangeFlags {
  readonly ip: boolean;
  readonly port: boolean;
}

/** The hundreds stand in 3 bits, the rest in a byte of its own, the phrase behind. */
export const errorCode: Codec<StunError> = {
  size: ({ reason }) => 4 + within(TEXT_LIMIT, Buffer.byteLength(reason)),
  write(message, at, { code, reason }) {
    message.writeUInt16BE(0, at);
    message.writeUInt8(Math.trunc(within(699, code) / 100), at + 2);
    message.writeUInt8(code % 100, at + 3);
    message.write(reason, at + 4, "utf8");
  },
  read(message, at, length) {
    if (length < 4 || length > 4 + TEXT_LIMIT) return undefined;
    const hundreds = message.readUInt8(at + 2) & 0x07;
    const rest = message.readUInt8(at + 3);
    if (hundreds < 3 || hundreds > 6 || rest > 99) return undefined;
    return { code: hundreds * 100 + rest, reason: message.toString("utf8", at + 4, at + length) };
  },
};

/** As ERROR-CODE, with the address family in the first byte. */
export const addressErrorCode: Codec<AddressError> = {
  size: errorCode.size,
  write(message, at, value) {
    errorCode.write(message, at, value);
    message.writeUInt8(familyCode(value.family), at);
  },
  read(message, at, length) {
    const error = errorCode.read(message, at, length);
    const family = familyOf(message[at]);
    return error && family && { ...error, family };
  },
};

export const uint16List: Codec<readonly number[]> = {
  size: (list) => list.length * 2,
  write: (message, at, list) => list.forEach((value, i) => void message.writeUInt16BE(value, at + 2 * i)),
  read(message, at, length) {
    if (length % 2 !== 0) return undefined;
    return Array.from({ length: length / 2 }, (_, i) => message.readUInt16BE(at + 2 * i));
  },
};

/** RFC 8489 section 14.11: each entry's parameters are padded to four bytes. */
export const passwordAlgorithms: Codec<readonly PasswordAlgorithmChoice[]> = {
  size: (list) => list.reduce((sum, { parameters }) => sum + 4 + padded(parameters.length), 0),
  write(message, at, list) {
    let next = at;
    for (const { algorithm, parameters } of list) {
      message.writeUInt16BE(algorithm, next);
      message.writeUInt16BE(parameters.length, next + 2);
      message.fill(0, next + 4, next + 4 + padded(parameters.length));
      message.set(parameters, next + 4);
      next += 4 + padded(parameters.length);
    }
  },
  read(message, at, length) {
    const list: PasswordAlgorithmChoice[] = [];
    const end = at + length;
    let next = at;
    while (next < end) {
      if (next + 4 > end) return undefined;
      const size = message.readUInt16BE(next + 2);
      if (next + 4 + padded(size) > end) return undefined;
      list.push({ algorithm: message.readUInt16BE(next), parameters: message.subarray(next + 4, next + 4 + size) });
      next += 4 + padded(size);
    }
    return list.length > 0 ? list : undefined;
  },
};

/** RFC 8489 section 14.12: the one that the client chose. */
export const passwordAlgorithm: Codec<PasswordAlgorithmChoice> = {
  size: (choice) => passwordAlgorithms.size([choice]),
  write: (message, at, choice) => passwordAlgorithms.write(message, at, [choice]),
  read(message, at, length) {
    const list = passwordAlgorithms.read(message, at, length);
    return list?.length === 1 ? list[0] : undefined;
  },
};

/** RFC 8656 section 18.8: EVEN-PORT's R bit, "reserve the next higher port too". */
export const reserveBit: Codec<boolean> = {
  size: () => 1,
  write: (message, at, reserve) => void message.writeUInt8(reserve ? 0x80 : 0, at),
  read: (message, at, length) => (length === 1 ? (message.readUInt8(at) & 0x80) !== 0 : undefined),
};

export const changeRequest: Codec<ChangeFlags> = {
  size: () => 4,
  write: (message, at, { ip, port }) => void message.writeUInt32BE((ip ? 0x04 : 0) | (port ? 0x02 : 0), at),
  read(message, at, length) {
    if (length !== 4) return undefined;
    const flags = message.readUInt8(at + 3);
    return { ip: (flags & 0x04) !== 0, port: (flags & 0x02) !== 0 };
  },
};

/** Two bytes reserved, then 7 bits of type and 9 of code. */
export const icmp: Codec<IcmpReport> = {
  size({ type, code }) {
    within(0x7f, type);
    within(0x1ff, code);
    return 8;
  },
  write(message, at, { type, code, data }) {
    message.writeUInt32BE((type << 9) | code, at);
    message.writeUInt32BE(data, at + 4);
  },
  read(message, at, length) {
    if (length !== 8) return undefined;
    const typeAndCode = message.readUInt16BE(at + 2);
    return { type: typeAndCode >> 9, code: typeAndCode & 0x1ff, data: message.readUInt32BE(at + 4) };
  },
};

function padded(length: number): number {
  return (length + 3) & ~3;
}
