/** 16-bit floats as bit patterns: JavaScript's own Float16Array is too young to rely on. */

const floatView = new Float32Array(1);
const bitView = new Uint32Array(floatView.buffer);

let table: Float32Array | undefined;

function widen(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** All 65,536 binary16 numbers as float32, by bit pattern; made on first use (256 KiB). */
export function halfTable(): Float32Array {
  table ??= Float32Array.from({ length: 0x10000 }, (_, half) => widen(half));
  return table;
}

/** The value of a binary16 bit pattern. */
export function halfToFloat(half: number): number {
  return halfTable()[half & 0xffff];
}

/** The bit pattern of the binary16 number nearest to `value` (ties to even; overflow is infinity). */
export function floatToHalf(value: number): number {
  floatView[0] = value;
  const bits = bitView[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below 2^-14 the result counts in units of 2^-24; scaling by a power of two is exact.
    const units = Math.abs(value) * 2 ** 24;
    const floor = Math.floor(units);
    const rest = units - floor;
    return sign | (floor + (rest > 0.5 || (rest === 0.5 && (floor & 1) === 1) ? 1 : 0));
  }
  // Re-bias the exponent from 127 to 15 and round away 13 bits; a carry moves into the exponent.
  const rebiased = magnitude - (112 << 23);
  return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
}
