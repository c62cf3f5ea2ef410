import { describe, expect, it } from "vitest";
import { randomModel } from "../../bench/models.ts";
import { stored } from "../../bench/stored.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { type QuantType, quants } from "../../src/file/quants.ts";
import type { ModelFile } from "../../src/file/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufHeader } from "../../src/gguf/write.ts";
import { Repacker } from "../../src/gpu/repack.ts";
import { repackOnHost } from "../../src/gpu/repack-host.ts";
import { loadWeights } from "../../src/gpu/upload.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { weightGroups } from "../../src/graph/groups.ts";
import type { Op } from "../../src/graph/ops.ts";
import { storedBytes } from "../../src/kernels/layouts.ts";
import { hasQuantKernel } from "../../src/kernels/quants.ts";
import { buildGraph } from "../../src/models/index.ts";
import { type Placement, placeWeights } from "../../src/plan/place.ts";
import { Buffers, BufferUsage, MapMode } from "../../src/platform/buffers.ts";
import { fileOf, type Made } from "../conformance/quants.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { randomRows, typeOf } from "../kernels/linear-case.ts";

/** A table and maps of x with these heights, which form a group when there are several. */
function model(
  types: readonly string[],
  width: number,
  heights: readonly number[],
): { graph: Graph; file: ModelFile; made: Made[] } {
  const made: Made[] = heights.map((height, i) => {
    const type = typeOf(types[i % types.length]);
    const { bytes } = randomRows(type, height, width, 7 + i);
    const own = bytes.subarray(0, (height * width * type.bytes) / type.elements);
    return { name: `w${i}`, type, shape: [width, height], bytes: own };
  });
  const norm = new Float32Array(width).fill(2);
  const ops: Op[] = [
    { op: "embed", table: "w0", by: "token", offset: 0, layer: 0, name: "" },
    { op: "rmsNorm", x: 0, weight: "norm", eps: 0, group: width, layer: 0, name: "" },
    ...heights.slice(1).map((out, i): Op => {
      return { op: "linear", x: 1, weight: `w${i + 1}`, first: 0, out, layer: 0, name: "" };
    }),
  ];
  const vector = {
    name: "norm",
    type: typeOf("F32"),
    shape: [width],
    bytes: new Uint8Array(norm.buffer),
  };
  const graph = { ops, groups: weightGroups(ops) } as unknown as Graph;
  return { graph, file: fileOf([...made, vector]), made };
}

/** The most bytes that fill up the last group of a piece. */
const fillOf = (type: QuantType): number => storedBytes(type, type.elements) - type.bytes;

/** Pieces cover all rows in order, begin at words, do not overlap and end within their buffers. */
function checkPieces({ matrices, buffers }: Placement): void {
  const ends = new Map<string, number>();
  for (const { type, width, pieces, rows, rowBytes } of matrices.values()) {
    let next = 0;
    for (const piece of pieces) {
      expect(piece.first).toBe(next);
      expect(piece.offset % 4).toBe(0);
      expect((piece.first * rowBytes) % 4).toBe(0);
      expect(piece.offset).toBeGreaterThanOrEqual(ends.get(piece.buffer) ?? 0);
      next += piece.rows;
      ends.set(piece.buffer, piece.offset + storedBytes(type, piece.rows * width));
    }
    expect(next).toBe(rows);
  }
  for (const [name, end] of ends) expect(end).toBeLessThanOrEqual(buffers.get(name) ?? 0);
  expect(ends.size).toBe(buffers.size);
}

describe("placement of weights", () => {
  it("puts a group into one buffer", () => {
    const { graph, file } = model(["Q8_0"], 64, [10, 5, 7, 9]);
    const placement = placeWeights(graph, file, 1 << 20);
    checkPieces(placement);
    const at = ["w1", "w2", "w3"].map((name) => placement.matrices.get(name)?.pieces[0].buffer);
    expect(new Set(at).size).toBe(1);
    expect(placement.matrices.get("w0")?.pieces[0].buffer).not.toBe(at[0]);
    expect(placement.vectors.get("norm")).toBe(0);
    expect(placement.vectorLengths.get("norm")).toBe(64);
  });
  it("keeps within 2% of the tensors, 256 bytes and a group of blocks a piece", () => {
    for (const limit of [1 << 20, 4096, 2048]) {
      const { graph, file, made } = model(["Q4_0", "F16", "Q6_K"], 256, [33, 5, 61, 9]);
      const placement = placeWeights(graph, file, limit);
      checkPieces(placement);
      const tensors = made.reduce((sum, tensor) => sum + tensor.bytes.length, 0);
      const spare = [...placement.matrices.values()].map(
        ({ type, pieces }) => (256 + fillOf(type)) * pieces.length,
      );
      expect(placement.bytes).toBeLessThanOrEqual(
        1.02 * tensors + spare.reduce((sum, bytes) => sum + bytes, 0),
      );
      for (const bytes of placement.buffers.values()) expect(bytes).toBeLessThanOrEqual(limit);
    }
  });
  it("splits every type at rows that begin a word", () => {
    for (const type of quants.filter(hasQuantKernel)) {
      // Odd widths for the types that can have them.
      const width = type.elements === 1 ? 37 : type.elements;
      const { graph, file } = model([type.name], width, [41, 13]);
      const rowBytes = (width / type.elements) * type.bytes;
      const limit = Math.ceil((5 * rowBytes + fillOf(type)) / 256) * 256;
      checkPieces(placeWeights(graph, file, limit));
    }
  });
  it.each(["q8_0", "q4_0", "q4_k_m"])("adds next to nothing to a real model: %s", async (type) => {
    const { bytes, size } = ggufHeader(randomModel({ shape: "smollm2-135m", type, layers: 1 }));
    const file = await readGguf(bufferSource(Object.assign(new Uint8Array(size), bytes)));
    const { matrices, bytes: placed } = placeWeights(
      buildGraph(file, { contextLength: 64 }),
      file,
      128 << 20,
    );
    const tensors = [...matrices.values()].reduce((sum, { tensor }) => sum + tensor.bytes, 0);
    expect(placed).toBeLessThanOrEqual(1.02 * tensors);
  });
  it("names the tensor that is missing, or whose row fits no binding", () => {
    const { graph, file } = model(["F32"], 256, [4, 4]);
    expect(() => placeWeights(graph, file, 512)).toThrow('"w0": one row has 1024 bytes');
    const tensors = new Map(file.tensors);
    tensors.delete("w1");
    expect(() => placeWeights(graph, { ...file, tensors }, 1 << 20)).toThrow('tensor "w1"');
  });
});

describe.skipIf(!gpuAvailable)("upload", () => {
  const kinds = [
    ["Q8_0", 64, 1 << 20],
    ["Q4_0", 96, 1024],
    ["Q6_K", 256, 2304],
    ["F16", 37, 256],
    ["TQ1_0", 256, 768],
    ["MXFP4", 96, 1024],
    ["IQ3_S", 256, 2048],
  ] as const;
  // Software adapters leave the layout to the host, others to the GPU: both must give the same.
  const ways = kinds.flatMap(([type, width, limit]) =>
    [true, false].map((software) => ({ type, width, limit, software })),
  );
  it.each(ways)(
    "brings the bytes of $type rows of $width to pieces of $limit, software $software",
    async (way) => {
      const { type, width, limit, software } = way;
      const { graph, file, made } = model([type], width, [41, 13, 6]);
      const gpu = await openTestGpu();
      const { device } = gpu;
      const placement = placeWeights(graph, file, limit);
      const buffers = new Buffers(gpu);
      const { storage, copySource, copyTarget, mapRead } = BufferUsage;
      try {
        const named = new Map<string, GPUBuffer>();
        for (const [name, bytes] of placement.buffers)
          named.set(name, buffers.allocate(name, bytes, storage | copySource | copyTarget));
        const seen: number[] = [];
        const { small } = await loadWeights(
          { device, staging: buffers, software },
          named,
          placement,
          file,
          { names: [], extra: 3 },
          { onProgress: (loaded, total) => seen.push(loaded / total) },
        );
        expect(small.slice(0, width)).toEqual(new Float32Array(width).fill(2));
        expect(small.length).toBe(placement.smallLength + 3);
        expect(seen.at(-1)).toBe(1);
        expect(seen).toEqual([...seen].sort((a, b) => a - b));
        const contents = new Map<string, Uint8Array>();
        for (const [name, buffer] of named) {
          const staging = buffers.allocate("staging", buffer.size, mapRead | copyTarget);
          const encoder = device.createCommandEncoder();
          encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
          device.queue.submit([encoder.finish()]);
          await staging.mapAsync(MapMode.read);
          contents.set(name, new Uint8Array(staging.getMappedRange().slice(0)));
        }
        for (const { name, bytes } of made) {
          const matrix = placement.matrices.get(name);
          for (const { buffer, offset, first, rows } of matrix?.pieces ?? []) {
            const rowBytes = matrix?.rowBytes ?? 0;
            const own = bytes.slice(first * rowBytes, (first + rows) * rowBytes);
            const wanted = stored(typeOf(type), own);
            // What fills up the last group is not looked at.
            const counts = stored(typeOf(type), new Uint8Array(own.length).fill(1));
            const found = contents.get(buffer)?.subarray(offset, offset + wanted.length);
            const wrong = wanted.findIndex((byte, i) => counts[i] === 1 && byte !== found?.[i]);
            expect([name, first, wrong]).toEqual([name, first, -1]);
          }
        }
        gpu.check();
      } finally {
        buffers.disposeAll();
      }
    },
  );

  it.each([true, false])(
    "repacks what is more than it moves at once, software %s",
    async (software) => {
      const type = typeOf("Q8_0");
      const { bytes } = randomRows(type, 300, 1024, 5);
      const own = bytes.slice(0, (300 * 1024 * type.bytes) / type.elements);
      const wanted = stored(type, own);
      const gpu = await openTestGpu();
      const buffers = new Buffers(gpu);
      const { storage, copySource, copyTarget, mapRead } = BufferUsage;
      try {
        const out = buffers.allocate("out", wanted.length, storage | copySource | copyTarget);
        const staging = buffers.allocate("staging", wanted.length, mapRead | copyTarget);
        const repack = software
          ? repackOnHost(gpu.device, type, out, 0)
          : await new Repacker(gpu.device, buffers, 5000).piece(type, out, 0);
        for (let at = 0; at < own.length; at += 7004) repack.write(own.subarray(at, at + 7004));
        repack.end();
        const encoder = gpu.device.createCommandEncoder();
        encoder.copyBufferToBuffer(out, 0, staging, 0, wanted.length);
        gpu.device.queue.submit([encoder.finish()]);
        await staging.mapAsync(MapMode.read);
        const found = new Uint8Array(staging.getMappedRange());
        expect(wanted.findIndex((byte, i) => byte !== found[i])).toBe(-1);
        gpu.check();
      } finally {
        buffers.disposeAll();
      }
    },
  );
});
