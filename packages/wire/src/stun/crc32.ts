import { crc32 as zlibCrc32 } from "node:zlib";

/** Above this many bytes, calling into zlib pays. Below, the call alone (0.2 µs) costs more than the rest of decoding a Binding answer. */
const SHORT = 256;

/** CRC-32 (ISO 3309, as RFC 8489 section 14.7 wants it) of the first `end` bytes; `end` is a multiple of four, as all of STUN is. */
export function crc32(bytes: Uint8Array, end: number): number {
  if (end > SHORT) return zlibCrc32(bytes.subarray(0, end));
  let crc = -1;
  for (let at = 0; at < end; at += 4) {
    crc ^= (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
    crc = after(4, crc) ^ after(3, crc >>> 8) ^ after(2, crc >>> 16) ^ after(1, crc >>> 24);
  }
  return ~crc >>> 0;
}

/** What the low byte of `crc` leaves behind when `count` bytes have been shifted out. */
function after(count: number, crc: number): number {
  return TABLE[(count - 1) * 256 + (crc & 0xff)] ?? 0;
}

/** Four tables of 256, one for each byte of a word. */
const TABLE = new Int32Array(4 * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  TABLE[byte] = crc;
}
for (let i = 256; i < TABLE.length; i++) {
  const crc = TABLE[i - 256] ?? 0;
  TABLE[i] = (crc >>> 8) ^ after(1, crc);
}
