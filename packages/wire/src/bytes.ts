/** The same memory as a Buffer, whose readers and string decoders are much faster than a DataView's. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Reads two bytes, network order. V8 inlines it, unlike Buffer's own reader, which checks its arguments: here the caller has. */
export function uint16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Writes two bytes, network order; as {@link uint16At}. */
export function putUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

/** STUN attributes and ChannelData over streams are padded to four bytes. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}
