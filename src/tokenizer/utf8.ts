/** UTF-8, leniently: any bytes in, code points out, nothing thrown. */

export const REPLACEMENT = 0xfffd;
const encoder = new TextEncoder();

/** UTF-8 of a string; lone surrogates become U+FFFD. */
export function toUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Text of bytes; what is not UTF-8 becomes U+FFFD, and a byte order mark is kept. */
export function fromUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** Bytes that the lead byte announces: 1 for ASCII and for stray continuation bytes. */
export function announcedLength(lead: number): number {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** Bytes of a code point in UTF-8. */
export function encodedLength(point: number): number {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/** Writes a code point and returns the offset after it. */
export function writePoint(point: number, into: Uint8Array, at: number): number {
  if (point < 0x80) {
    into[at] = point;
    return at + 1;
  }
  const length = encodedLength(point);
  for (let i = length - 1, rest = point; i > 0; i--, rest >>>= 6) into[at + i] = 0x80 | (rest & 63);
  into[at] = ((0xf00 >> length) & 0xff) | (point >>> (6 * (length - 1)));
  return at + length;
}

/**
 * The code point at `at` times 8 plus its length in bytes, or -1 where the bytes are no character.
 * Like llama.cpp's reader this takes overlong forms and surrogates; what lies above U+10FFFF is
 * refused, since it cannot be written again.
 */
export function readPoint(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return lead * 8 + 1;
  if (lead < 0xc0 || lead > 0xf7) return -1;
  const length = announcedLength(lead);
  if (at + length > bytes.length) return -1;
  let point = lead & (0x7f >> length);
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i];
    if ((next & 0xc0) !== 0x80) return -1;
    point = (point << 6) | (next & 63);
  }
  return point > 0x10ffff ? -1 : point * 8 + length;
}

/** All code points; each byte that is no part of a character becomes one U+FFFD. */
export function decodePoints(bytes: Uint8Array): Int32Array {
  const points = new Int32Array(bytes.length);
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at];
    if (lead < 0x80) {
      points[count++] = lead;
      at++;
      continue;
    }
    const read = readPoint(bytes, at);
    points[count++] = read < 0 ? REPLACEMENT : read >>> 3;
    at += read < 0 ? 1 : read & 7;
  }
  return points.subarray(0, count);
}
