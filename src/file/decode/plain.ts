/** Decoders of types without blocks: floats of other widths, and integers carried as data. */
import { halfTable } from "../../base/half.ts";
import type { Decoder } from "../quants.ts";

const view = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Reads each of `count` values with one getter of DataView. */
function each(width: number, get: (from: DataView, at: number) => number): Decoder {
  return (bytes, out, count) => {
    const from = view(bytes);
    for (let i = 0; i < count; i++) out[i] = get(from, i * width);
  };
}

/** Copies bits, so that every NaN stays what it was. */
const f32: Decoder = (bytes, out, count) => {
  new Uint8Array(out.buffer, out.byteOffset, count * 4).set(bytes.subarray(0, count * 4));
};

const f16: Decoder = (bytes, out, count) => {
  const halves = halfTable();
  for (let i = 0, at = 0; i < count; i++, at += 2)
    out[i] = halves[bytes[at] | (bytes[at + 1] << 8)];
};

/** A bfloat16 is the upper half of a float32. */
const bf16: Decoder = (bytes, out, count) => {
  const bits = new Uint32Array(out.buffer, out.byteOffset, count);
  for (let i = 0, at = 0; i < count; i++, at += 2)
    bits[i] = (bytes[at] << 16) | (bytes[at + 1] << 24);
};

export const plainDecoders: Readonly<Record<string, Decoder>> = {
  F32: f32,
  F16: f16,
  BF16: bf16,
  F64: each(8, (from, at) => from.getFloat64(at, true)),
  I8: each(1, (from, at) => from.getInt8(at)),
  I16: each(2, (from, at) => from.getInt16(at, true)),
  I32: each(4, (from, at) => from.getInt32(at, true)),
  I64: each(8, (from, at) => Number(from.getBigInt64(at, true))),
};
