/**
 * The CPU's kernels: for every type they give the bits of the order of sums as TypeScript states it, however many rows
 * and however they are split; they are as near to double precision as promised; no content of a block stops them.
 */
import { describe, expect, it } from "vitest";
import { fillRandom, random } from "../../../bench/random-blocks.ts";
import { DecodedMatrix } from "../../../src/cpu/matrix.ts";
import { WasmMatrix } from "../../../src/cpu/wasm/matrix.ts";
import { placeMatrices } from "../../../src/cpu/wasm/place.ts";
import { makeRooms } from "../../../src/cpu/wasm/rooms.ts";
import { dequantize } from "../../../src/file/decode/index.ts";
import { type QuantType, quants } from "../../../src/file/quants.ts";
import type { TensorInfo } from "../../../src/file/types.ts";
import { Numbers } from "../../kernels/run.ts";
import { blockProduct, floatProduct, quantize, type Unpacked } from "./order.ts";

const types = quants.filter(({ data }) => !data);
const floats = ["F32", "F16", "BF16"];
const twoTerms = ["Q2_K", "NVFP4"];
const withMinima = ["Q4_1", "Q5_1", "Q4_K", "Q5_K"];

const tensor = (type: QuantType, width: number, height: number, name = "w"): TensorInfo => {
  const elements = width * height;
  const bytes = (elements / type.elements) * type.bytes;
  return { name, type, shape: [width, height], elements, offset: 0, bytes, part: 0 };
};

/** A matrix in a memory of its own, whose other bytes are all ones (which as floats are no numbers). */
async function made(type: QuantType, width: number, height: number, content: Uint8Array) {
  const info = tensor(type, width, height);
  const places = placeMatrices([info]);
  const rooms = await makeRooms([info], places);
  const [{ at }] = places.pieces.get("w")!;
  const [{ buffer, kernels }] = rooms;
  const memory = new Uint8Array(buffer);
  memory.fill(255, places.scratch.x);
  memory.set(content, at);
  const matrix = new WasmMatrix(info, places, rooms);
  const decoded = new Float32Array(info.elements);
  dequantize(type, content, decoded, decoded.length);
  /** The matrix's row as the kernels unpack it. */
  const unpacked = (row: number): Unpacked => {
    const terms = twoTerms.includes(type.name) ? 2 : 1;
    const groups = Math.ceil(width / 128);
    const { unpacked: codes } = places.scratch;
    const scales = codes + 256 * terms * groups;
    const minima = scales + 16 * terms * groups;
    const stride = (width / type.elements) * type.bytes;
    kernels[`${type.name}_unpack`](at + row * stride, codes, scales, minima, width);
    const has = withMinima.includes(type.name);
    return {
      terms,
      codes: new Int16Array(buffer, codes, 128 * terms * groups).slice(),
      scales: new Float32Array(buffer, scales, 4 * terms * groups).slice(),
      minima: has
        ? new Float32Array(buffer, minima, 4 * groups).slice()
        : new Float32Array(4 * groups),
    };
  };
  /** All ones still where no kernel may write: behind the scratch memory's last field and around the weights. */
  const untouched = (): boolean => {
    const { end, y } = places.scratch;
    const free = memory.subarray(y + 4 * 9 * height, end);
    const after = memory.subarray(at + info.bytes);
    const same = content.every((byte, i) => memory[at + i] === byte);
    return same && [free, after].every((part) => part.every((byte) => byte === 255));
  };
  return { matrix, decoded, unpacked, untouched };
}

function randomContent(type: QuantType, elements: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = (elements / type.elements) * type.bytes;
  const content = new Uint8Array(Math.ceil(bytes / 4) * 4);
  fillRandom(content.subarray(0, bytes - (bytes % type.bytes)), type, random(seed));
  return content.slice(0, bytes);
}

/** y of `rows` rows, computed in parts of `at` rows. */
function products(matrix: WasmMatrix, x: Float32Array, rows: number, step: number): Float32Array {
  const out = matrix.rows;
  const y = new Float32Array(rows * out);
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const part = new Float32Array(count * out);
    const own = x.subarray(row * matrix.width, (row + count) * matrix.width);
    matrix.multiply(own, count, { first: 0, out, from: 0, to: out }, part);
    y.set(part, row * out);
  }
  return y;
}

/** Where two arrays differ; nothing is equal to itself, as NaN is here. */
const difference = (a: Float32Array, b: Float32Array): number =>
  a.findIndex((value, i) => !Object.is(value, b[i]));

const widths = (type: QuantType): number[] =>
  floats.includes(type.name)
    ? [1, 7, 8, 33, 136]
    : [32, 96, 160, 256, 576, 1024].filter((width) => width % type.elements === 0).slice(0, 4);

/** The products of all rows as the order of sums states them. */
function stated(
  type: QuantType,
  m: Awaited<ReturnType<typeof made>>,
  x: Float32Array,
  rows: number,
) {
  const { width, rows: out } = m.matrix;
  const y = new Float32Array(rows * out);
  const xs = Array.from({ length: rows }, (_, row) => x.subarray(row * width, (row + 1) * width));
  const isFloat = floats.includes(type.name);
  const quantized = isFloat ? [] : xs.map(quantize);
  for (let n = 0; n < out; n++) {
    const weights = isFloat ? undefined : m.unpacked(n);
    const own = m.decoded.subarray(n * width, (n + 1) * width);
    for (let row = 0; row < rows; row++)
      y[row * out + n] = weights
        ? blockProduct(weights, quantized[row])
        : floatProduct(own, xs[row]);
  }
  return y;
}

describe.each(types.map((type) => [type.name, type] as const))("products of %s", (name, type) => {
  it("have the stated bits for 1 to 9 rows, in any parts, and write nowhere else", async () => {
    for (const width of widths(type)) {
      const height = 5;
      const m = await made(type, width, height, randomContent(type, width * height, width));
      const numbers = new Numbers(width + 1);
      const x = numbers.floats(9 * width, 4);
      // A block of zeros, one of tiny values, and a large value among small ones.
      x.fill(0, 0, Math.min(32, width));
      x[x.length - 1] = 300;
      x.fill(1e-36, width, width + Math.min(32, width));
      const expected = stated(type, m, x, 9);
      for (const rows of [1, 2, 3, 4, 5, 9])
        for (const step of [rows, 1, 4]) {
          const y = products(m.matrix, x, rows, step);
          const at = difference(y, expected.subarray(0, y.length));
          expect(at, `width ${width}, ${rows} rows by ${step}`).toBe(-1);
        }
      if (!floats.includes(name)) m.unpacked(0);
      expect(m.untouched()).toBe(true);
    }
  });

  it("are those of the weights that the decoder gives, to 1e-7", async () => {
    const width = type.elements === 1 ? 300 : 1024;
    const m = await made(type, width, 16, randomContent(type, width * 16, 5));
    const x = new Numbers(9).floats(4 * width);
    const exact = new Float32Array(4 * 16);
    const product = { first: 0, out: 16, from: 0, to: 16 };
    new DecodedMatrix(m.decoded, width).multiply(x, 4, product, exact);
    const y = products(m.matrix, x, 4, 4);
    const square = (values: Float32Array): number => values.reduce((sum, v) => sum + v * v, 0);
    const nmse = square(y.map((value, i) => value - exact[i])) / square(exact);
    expect(nmse).toBeLessThan(1e-7);
    expect(square(exact)).toBeGreaterThan(0);
  });

  it("of hostile blocks have the stated bits: every code, infinite scales and such that are no numbers", async () => {
    const width =
      type.elements === 1 ? 37 : Math.max(160, type.elements * 2) - (type.elements > 32 ? 0 : 0);
    const fitting = Math.ceil(width / type.elements) * type.elements;
    const next = random(77);
    for (let round = 0; round < 6; round++) {
      const bytes = (fitting / type.elements) * type.bytes * 7;
      // Bytes of a few values are likely to make scales with all bits of the exponent.
      const content = Uint8Array.from({ length: bytes }, () =>
        round % 2 === 0 ? next() & 255 : [0, 124, 252, 255][next() & 3],
      );
      const m = await made(type, fitting, 7, content);
      const x = new Numbers(round + 1).floats(4 * fitting);
      if (round > 3) x[5] = [Number.NaN, Number.POSITIVE_INFINITY][round % 2];
      const expected = stated(type, m, x, 4);
      for (const step of [1, 4])
        expect(difference(products(m.matrix, x, 4, step), expected), `round ${round}`).toBe(-1);
      expect(m.untouched()).toBe(true);
    }
  });
});

it.each(types.map((type) => [type.name, type] as const))(
  "codes of %s are its weights",
  async (name, type) => {
    if (floats.includes(name)) return;
    const width = Math.max(512, type.elements);
    const m = await made(type, width, 4, randomContent(type, width * 4, 3));
    for (let row = 0; row < 4; row++) {
      const { terms, codes, scales, minima } = m.unpacked(row);
      for (let i = 0; i < width; i++) {
        const [group, block] = [i >> 7, (i >> 5) & 3];
        let value = -minima[4 * group + block];
        let size = Math.abs(value);
        for (let term = 0; term < terms; term++) {
          const part = group * terms + term;
          const one = codes[128 * part + (i & 127)] * scales[4 * part + block];
          value += one;
          size += Math.abs(one);
        }
        const error = Math.abs(value - m.decoded[row * width + i]);
        expect(error, `weight ${i}`).toBeLessThanOrEqual(size * 2 ** -22);
      }
    }
  },
);
