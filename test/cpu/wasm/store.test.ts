/** Matrices in WebAssembly memories: their places, many memories, and the way without WebAssembly. */
import { afterEach, describe, expect, it } from "vitest";
import { fillRandom, random } from "../../../bench/random-blocks.ts";
import type { Matrix } from "../../../src/cpu/matrix.ts";
import { openCpu, plainCpu } from "../../../src/cpu/open.ts";
import { bytesOf, WasmMatrix } from "../../../src/cpu/wasm/matrix.ts";
import { placeMatrices } from "../../../src/cpu/wasm/place.ts";
import { makeRooms } from "../../../src/cpu/wasm/rooms.ts";
import { dequantize } from "../../../src/file/decode/index.ts";
import { quantByName } from "../../../src/file/quants.ts";
import type { TensorInfo } from "../../../src/file/types.ts";
import { Numbers } from "../../kernels/run.ts";

function tensor(name: string, typeName: string, width: number, height: number): TensorInfo {
  const type = quantByName(typeName)!;
  const elements = width * height;
  const bytes = (elements / type.elements) * type.bytes;
  return { name, type, shape: [width, height], elements, offset: 0, bytes, part: 0 };
}

describe("places of matrices", () => {
  it("do not overlap, lie inside of their memories and hold all rows, whatever the sizes", () => {
    const numbers = new Numbers(5);
    for (let round = 0; round < 60; round++) {
      const most = round % 2 === 0 ? undefined : 2 ** 21;
      const reach = round % 2 === 0 ? 4_000_000 : 4000;
      const infos = Array.from({ length: numbers.integer(1, 9) }, (_, i) => {
        const type = numbers.pick(["Q8_0", "Q4_K", "F16", "IQ1_S"]);
        return tensor(`t${i}`, type, 256 * numbers.integer(1, 16), numbers.integer(1, reach));
      });
      const { pieces, memories, scratch, weights } = placeMatrices(infos, most);
      const spans: [number, number, number][] = [];
      for (const { name, bytes, shape, elements } of infos) {
        const own = pieces.get(name)!;
        const stride = bytes / (elements / shape[0]);
        expect(own.reduce((sum, { rows }) => sum + rows, 0)).toBe(elements / shape[0]);
        for (const { memory, at, rows } of own) spans.push([memory, at, at + rows * stride]);
      }
      spans.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      spans.forEach(([memory, from, to], i) => {
        expect(from).toBeGreaterThanOrEqual(
          i > 0 && spans[i - 1][0] === memory ? spans[i - 1][2] : scratch.end,
        );
        expect(to + 128).toBeLessThanOrEqual(memories[memory]);
      });
      for (const bytes of memories) {
        expect(bytes % 2 ** 16).toBe(0);
        expect(bytes).toBeLessThanOrEqual(Math.max(most ?? 2 ** 32, scratch.end + 2 ** 17));
      }
      expect(weights).toBe(infos.reduce((sum, { bytes }) => sum + bytes, 0));
    }
  });
});

/** A matrix with random weights in a store, as a loader fills it. */
async function filled(info: TensorInfo, memoryBytes?: number): Promise<[Matrix, Uint8Array]> {
  const content = new Uint8Array(Math.ceil(info.bytes / 4) * 4);
  fillRandom(content, info.type, random(11));
  const places = placeMatrices([info], memoryBytes);
  const rooms = await makeRooms([info], places);
  const pieces = bytesOf(info, places.pieces.get(info.name)!, rooms);
  let at = 0;
  for (const piece of pieces) {
    piece.set(content.subarray(at, at + piece.length));
    at += piece.length;
  }
  expect(at).toBe(info.bytes);
  return [new WasmMatrix(info, places, rooms), content];
}

describe("a matrix over several memories", () => {
  it.each(["Q4_0", "Q6_K", "F16"])(
    "of %s gives the bits of one memory, with factor and bias",
    async (name) => {
      const [width, height, rows, out] = [512, 700, 70, 650];
      const info = tensor("w", name, width, height);
      const numbers = new Numbers(2);
      const [x, bias] = [numbers.floats(rows * width), numbers.floats(height)];
      const products = (matrix: Matrix, from: number, to: number, y: Float32Array): void =>
        matrix.multiply(x, rows, { first: 30, out, from, to, bias, scale: 0.5 }, y);
      const [whole, content] = await filled(info);
      const expected = new Float32Array(rows * out);
      products(whole, 0, out, expected);
      // The least that a memory can have: a few rows in each.
      const [cut] = await filled(info, 1);
      const y = new Float32Array(rows * out);
      for (const [from, to] of [
        [0, 1],
        [1, 333],
        [333, out],
      ])
        products(cut, from, to, y);
      expect(y).toEqual(expected);
      const plain = new Float32Array(info.elements);
      dequantize(info.type, content, plain, plain.length);
      for (const row of [0, 333, height - 1]) {
        const to = new Float32Array(width);
        cut.load(row, to);
        expect(to).toEqual(plain.subarray(row * width, (row + 1) * width));
        const at = 3 * out + row - 30;
        if (row < 30 || row - 30 >= out) continue;
        const exact = to.reduce((sum, w, i) => sum + w * x[3 * width + i], 0) * 0.5 + bias[row];
        expect(expected[at]).toBeCloseTo(exact, 3);
      }
    },
  );
});

describe("the CPU as a device", () => {
  const own = globalThis.WebAssembly;
  afterEach(() => Object.assign(globalThis, { WebAssembly: own }));

  it("computes in WebAssembly where that is possible", async () => {
    expect(await openCpu()).toMatchObject({ name: "CPU (WebAssembly SIMD)" });
  });
  it.each([
    ["is none", undefined],
    ["is forbidden", { compile: () => Promise.reject(new Error("Content Security Policy")) }],
  ])("computes in plain TypeScript and says so where WebAssembly %s", async (_, instead) => {
    Object.assign(globalThis, { WebAssembly: instead });
    const { notice, ...device } = await openCpu();
    expect(device).toEqual(plainCpu);
    expect(notice).toMatch(/without WebAssembly SIMD/);
  });
});
