import { uint16At } from "../bytes.js";
import type { Attribute } from "./attribute.js";
import { encodeMessage } from "./encode.js";
import { decodeMessage, StunMessage } from "./message.js";

const transactionId = Buffer.from("0102030405060708090a0b0c", "hex");

/** The bytes of a value as they stand in a message, without header and padding. */
export function write<T>(attribute: Attribute<T>, value: T): string {
  const message = encodeMessage({ method: 1, class: "request", transactionId, attributes: [attribute.of(value)] });
  return message.toString("hex", 24, 24 + uint16At(message, 22));
}

/** The value of these bytes, or the fault of a message that carries them. */
export function read<T>(attribute: Attribute<T>, hex: string): T | string | undefined {
  const value = Buffer.from(hex, "hex");
  const message = Buffer.alloc(24 + ((value.length + 3) & ~3));
  message.writeUInt16BE(1, 0);
  message.writeUInt16BE(message.length - 20, 2);
  message.writeUInt32BE(0x2112a442, 4);
  message.set(transactionId, 8);
  message.writeUInt16BE(attribute.type, 20);
  message.writeUInt16BE(value.length, 22);
  message.set(value, 24);
  const decoded = decodeMessage(message);
  return decoded instanceof StunMessage ? decoded.get(attribute) : decoded;
}
