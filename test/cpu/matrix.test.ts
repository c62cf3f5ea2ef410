/** The one product of the CPU path: which outputs it writes, and that all forms of weights give the same bits. */
import { describe, expect, it } from "vitest";
import { DecodedMatrix, StoredMatrix } from "../../src/cpu/matrix.ts";
import { headLinear } from "../../src/cpu/ops/linear.ts";
import { dequantize } from "../../src/file/decode/index.ts";
import { quantByName } from "../../src/file/quants.ts";
import { Numbers } from "../kernels/run.ts";

describe("a weight matrix", () => {
  it("makes the outputs of a range, with factor and bias by matrix row, and no others", () => {
    const numbers = new Numbers(3);
    const [width, height, rows, out] = [7, 9, 3, 5];
    const [weights, x, bias] = [width * height, width * rows, height].map((n) => numbers.floats(n));
    const y = new Float32Array(rows * out).fill(-1);
    const product = { first: 2, out, from: 1, to: 4, bias, scale: 0.5 };
    new DecodedMatrix(weights, width).multiply(x, rows, product, y);
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < out; i++) {
        let sum = 0;
        for (let n = 0; n < width; n++) sum += x[row * width + n] * weights[(2 + i) * width + n];
        const expected = i >= 1 && i < 4 ? sum * 0.5 + bias[2 + i] : -1;
        expect(y[row * out + i]).toBeCloseTo(expected, 5);
      }
  });

  it.each(["F16", "Q8_0", "Q4_0"])("of %s blocks gives the bits of decoded floats", (name) => {
    const type = quantByName(name);
    if (!type) throw new Error(`no ${name}`);
    const [width, height, rows] = [64, 6, 2];
    const numbers = new Numbers(5);
    const bytes = new Uint8Array((width / type.elements) * type.bytes * height);
    // Small scales: the high byte of each half stays far from infinity.
    for (let i = 0; i < bytes.length; i++) bytes[i] = numbers.integer(0, 60);
    const info = { name, type, shape: [width, height], elements: width * height };
    const place = { offset: 0, bytes: bytes.length, part: 0 };
    const floats = new Float32Array(width * height);
    dequantize(type, bytes, floats, floats.length);
    const x = numbers.floats(rows * width);
    // In one piece, in pieces of two rows, and with a last piece that is shorter.
    const row = bytes.length / height;
    const cut = (rows: number): Uint8Array[] =>
      Array.from({ length: Math.ceil(height / rows) }, (_, i) =>
        bytes.slice(i * rows * row, (i + 1) * rows * row),
      );
    const forms = [
      ...[height, 2, 4, 1].map((rows) => new StoredMatrix({ ...info, ...place }, cut(rows))),
      new DecodedMatrix(floats, width),
    ];
    const results = forms.map((matrix) => {
      const y = new Float32Array(rows * 4);
      matrix.multiply(x, rows, { first: 1, out: 4, from: 0, to: 4 }, y);
      const row = new Float32Array(width);
      matrix.load(5, row);
      return [...y, ...row];
    });
    const decoded = results.at(-1);
    for (const stored of results) expect(stored).toEqual(decoded);
    const [stored] = results;
    expect(stored.every(Number.isFinite)).toBe(true);
    expect(stored.some((value) => value !== 0)).toBe(true);
  });

  it("is taken head by head, whatever the number of rows", () => {
    const numbers = new Numbers(7);
    const [width, out, heads, rows] = [4, 3, 2, 5];
    const matrix = new DecodedMatrix(numbers.floats(width * out * heads), width);
    const x = numbers.floats(rows * heads * width);
    const all = headLinear(x, matrix, heads, out);
    for (let row = 0; row < rows; row++) {
      const one = x.subarray(row * heads * width, (row + 1) * heads * width);
      const part = all.subarray(row * heads * out, (row + 1) * heads * out);
      expect([...headLinear(one, matrix, heads, out)]).toEqual([...part]);
    }
  });
});
