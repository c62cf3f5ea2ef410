/** Sets of bytes, and the characters of Unicode as sequences of such sets. */

/** An inclusive range of bytes or of code points. */
export type Range = readonly [from: number, to: number];

/** 256 bits, the lowest byte in the lowest bit of the first word. */
export type ByteSet = Uint32Array;

export const LAST_CODE_POINT = 0x10ffff;
const SURROGATES: Range = [0xd800, 0xdfff];

/** The set of the bytes in `ranges`. */
export function byteSet(ranges: readonly Range[]): ByteSet {
  const set = new Uint32Array(8);
  for (const [from, to] of ranges)
    for (let byte = from; byte <= to; byte++) set[byte >> 5] |= 1 << (byte & 31);
  return set;
}

export const hasByte = (set: ByteSet, byte: number): boolean =>
  ((set[byte >> 5] >>> (byte & 31)) & 1) === 1;

/** Sorted, without overlaps, cut to what Unicode has; surrogates are no characters. */
export function tidyRanges(ranges: readonly Range[]): readonly Range[] {
  const { length } = ranges;
  let tidyUpTo = 0;
  for (let next = 0; tidyUpTo < length; next = ranges[tidyUpTo++][1] + 2) {
    const [from, to] = ranges[tidyUpTo];
    if (from < next || to < from || to > LAST_CODE_POINT) break;
    if (from <= SURROGATES[1] && to >= SURROGATES[0]) break;
  }
  if (tidyUpTo === length) return ranges;
  const parts: Range[] = [];
  for (const [from, to] of ranges) {
    if (from < SURROGATES[0]) parts.push([Math.max(0, from), Math.min(to, SURROGATES[0] - 1)]);
    if (to > SURROGATES[1])
      parts.push([Math.max(from, SURROGATES[1] + 1), Math.min(to, LAST_CODE_POINT)]);
  }
  parts.sort((a, b) => a[0] - b[0]);
  const tidy: [number, number][] = [];
  for (const [from, to] of parts) {
    if (from > to) continue;
    const last = tidy.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else tidy.push([from, to]);
  }
  return tidy;
}

/** All characters that are in none of the ranges. */
export function otherCharacters(ranges: readonly Range[]): readonly Range[] {
  const out: Range[] = [];
  let next = 0;
  for (const [from, to] of tidyRanges(ranges)) {
    if (from > next) out.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST_CODE_POINT) out.push([next, LAST_CODE_POINT]);
  return tidyRanges(out);
}

/** Where UTF-8 needs a further byte. */
const LIMITS = [0x7f, 0x7ff, 0xffff, LAST_CODE_POINT];

/** The UTF-8 of the characters in `ranges`: for each sequence the range of every byte in it. */
export function utf8Sequences(ranges: readonly Range[]): Range[][] {
  const out: Range[][] = [];
  for (const [from, to] of tidyRanges(ranges)) {
    let start = from;
    for (const limit of LIMITS) {
      if (start > to) break;
      if (start > limit) continue;
      const end = Math.min(to, limit);
      const width = LIMITS.indexOf(limit) + 1;
      split(start, end, width - 1, [], out);
      start = end + 1;
    }
  }
  return out;
}

/** Adds the sequences from `from` to `to`, both of one width, with `left` bytes of six bits to come. */
function split(from: number, to: number, left: number, before: Range[], out: Range[][]): void {
  // A lead byte keeps its marking bits; what follows one stands in 0x80 to 0xbf.
  const lead = before.length > 0 ? 0x80 : [0, 0xc0, 0xe0, 0xf0][left];
  const unit = 1 << (6 * left);
  const [first, last] = [Math.floor(from / unit), Math.floor(to / unit)];
  if (left === 0) {
    out.push([...before, [lead + first, lead + last]]);
    return;
  }
  const [low, high] = [from - first * unit, to - last * unit];
  let [start, end] = [first, last];
  const byte = (at: number): Range[] => [...before, [lead + at, lead + at]];
  if (first === last) return split(low, high, left - 1, byte(first), out);
  if (low > 0) {
    split(low, unit - 1, left - 1, byte(first), out);
    start++;
  }
  if (high < unit - 1) end--;
  if (start <= end) split(0, unit - 1, left - 1, [...before, [lead + start, lead + end]], out);
  if (high < unit - 1) split(0, high, left - 1, byte(last), out);
}

const encoder = new TextEncoder();

/** The UTF-8 of a text; what is no character becomes U+FFFD. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text);
