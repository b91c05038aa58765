import { padded, uint16At } from "../bytes.js";
import type { AddressFamily } from "../endpoint/address.js";
import type { Codec } from "./attribute.js";
import { doesNotFit, familyCode, familyOf, isFamilyCode, isLength, RECEIVED_TEXT_LIMIT, TEXT_LIMIT, within } from "./values.js";

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
  size({ code, reason }) {
    within(699, code, 300);
    return 4 + within(TEXT_LIMIT, Buffer.byteLength(reason));
  },
  write(message, at, { code, reason }) {
    message.writeUInt16BE(0, at);
    message.writeUInt8(Math.trunc(code / 100), at + 2);
    message.writeUInt8(code % 100, at + 3);
    message.write(reason, at + 4, "utf8");
  },
  fits(message, at, length) {
    if (length < 4 || length > 4 + RECEIVED_TEXT_LIMIT) return false;
    const hundreds = hundredsAt(message, at);
    return hundreds >= 3 && hundreds <= 6 && message.readUInt8(at + 3) <= 99;
  },
  read: (message, at, length) => ({
    code: hundredsAt(message, at) * 100 + message.readUInt8(at + 3),
    reason: message.toString("utf8", at + 4, at + length),
  }),
};

/** As ERROR-CODE, with the address family in the first byte. */
export const addressErrorCode: Codec<AddressError> = {
  size: errorCode.size,
  write(message, at, value) {
    errorCode.write(message, at, value);
    message.writeUInt8(familyCode(value.family), at);
  },
  fits: (message, at, length) => errorCode.fits(message, at, length) && isFamilyCode(message[at]),
  read: (message, at, length) => ({ ...errorCode.read(message, at, length), family: familyOf(message[at]) }),
};

export const uint16List: Codec<readonly number[]> = {
  size(list) {
    for (const value of list) within(0xffff, value);
    return list.length * 2;
  },
  write: (message, at, list) => list.forEach((value, i) => void message.writeUInt16BE(value, at + 2 * i)),
  fits: (_message, _at, length) => length % 2 === 0,
  read: (message, at, length) => Array.from({ length: length / 2 }, (_, i) => uint16At(message, at + 2 * i)),
};

/** RFC 8489 section 14.11: each entry's parameters are padded to four bytes. */
export const passwordAlgorithms: Codec<readonly PasswordAlgorithmChoice[]> = {
  size(list) {
    if (list.length === 0) doesNotFit("no password algorithm at all");
    return list.reduce((sum, choice) => sum + choiceSize(choice), 0);
  },
  write(message, at, list) {
    let next = at;
    for (const { algorithm, parameters } of list) {
      const end = next + 4 + padded(parameters.length);
      message.writeUInt16BE(algorithm, next);
      message.writeUInt16BE(parameters.length, next + 2);
      message.fill(0, next + 4, end);
      message.set(parameters, next + 4);
      next = end;
    }
  },
  fits(message, at, length) {
    const end = at + length;
    let next = at;
    while (next + 4 <= end) next += 4 + padded(uint16At(message, next + 2));
    return next === end && length > 0;
  },
  read(message, at, length) {
    const list: PasswordAlgorithmChoice[] = [];
    for (let next = at; next < at + length; ) {
      const size = uint16At(message, next + 2);
      list.push({ algorithm: uint16At(message, next), parameters: message.subarray(next + 4, next + 4 + size) });
      next += 4 + padded(size);
    }
    return list;
  },
};

/** RFC 8489 section 14.12: the one that the client chose. */
export const passwordAlgorithm: Codec<PasswordAlgorithmChoice> = {
  size: choiceSize,
  write: (message, at, choice) => passwordAlgorithms.write(message, at, [choice]),
  fits: (message, at, length) => length >= 4 && length === 4 + padded(uint16At(message, at + 2)),
  read: (message, at) => ({
    algorithm: uint16At(message, at),
    parameters: message.subarray(at + 4, at + 4 + uint16At(message, at + 2)),
  }),
};

/** RFC 8656 section 18.8: EVEN-PORT's R bit, "reserve the next higher port too". */
export const reserveBit: Codec<boolean> = {
  size: () => 1,
  write: (message, at, reserve) => void message.writeUInt8(reserve ? 0x80 : 0, at),
  fits: isLength(1),
  read: (message, at) => (message.readUInt8(at) & 0x80) !== 0,
};

export const changeRequest: Codec<ChangeFlags> = {
  size: () => 4,
  write: (message, at, { ip, port }) => void message.writeUInt32BE((ip ? 0x04 : 0) | (port ? 0x02 : 0), at),
  fits: isLength(4),
  read(message, at) {
    const flags = message.readUInt8(at + 3);
    return { ip: (flags & 0x04) !== 0, port: (flags & 0x02) !== 0 };
  },
};

/** Two bytes reserved, then 7 bits of type and 9 of code: what the figure of RFC 8656 section 18.13 draws. */
export const icmp: Codec<IcmpReport> = {
  size({ type, code, data }) {
    within(0x7f, type);
    within(0x1ff, code);
    within(0xffffffff, data);
    return 8;
  },
  write(message, at, { type, code, data }) {
    message.writeUInt32BE((type << 9) | code, at);
    message.writeUInt32BE(data, at + 4);
  },
  fits: isLength(8),
  read(message, at) {
    const typeAndCode = uint16At(message, at + 2);
    return { type: typeAndCode >> 9, code: typeAndCode & 0x1ff, data: message.readUInt32BE(at + 4) };
  },
};

function hundredsAt(message: Buffer, at: number): number {
  return message.readUInt8(at + 2) & 0x07;
}

function choiceSize({ algorithm, parameters }: PasswordAlgorithmChoice): number {
  within(0xffff, algorithm);
  return 4 + padded(within(0xffff, parameters.length));
}
