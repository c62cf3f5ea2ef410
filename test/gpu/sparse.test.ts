import { describe, expect, it } from "vitest";
import { randomModel } from "../../bench/models.ts";
import type { ByteSource } from "../../src/base/source.ts";
import type { ModelFile } from "../../src/file/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufHeader } from "../../src/gguf/write.ts";
import { loadWeights } from "../../src/gpu/upload.ts";
import { buildGraph } from "../../src/models/index.ts";
import { type Placement, placeWeights } from "../../src/plan/place.ts";
import { Buffers } from "../../src/platform/buffers.ts";

const PIECE = 4 << 20;

/** A file that is only a header on disk: every word of its data is its own offset / 4. */
function sparseSource(
  header: Uint8Array<ArrayBuffer>,
  size: number,
): ByteSource & { largest: number } {
  const words = new Uint32Array(PIECE / 4);
  const fill = (offset: number, length: number): Uint8Array<ArrayBuffer> => {
    const out = new Uint8Array(words.buffer, 0, length);
    // The first and the last word are enough to tell where a piece came from.
    words[0] = offset / 4;
    if (length >= 8) words[length / 4 - 1] = (offset + length) / 4 - 1;
    return out;
  };
  return {
    name: "sparse.gguf",
    size,
    largest: 0,
    async read(offset, length) {
      this.largest = Math.max(this.largest, length);
      if (offset + length <= header.length) return header.slice(offset, offset + length);
      const out = new Uint8Array(length);
      if (offset < header.length) out.set(header.subarray(offset));
      return out;
    },
    async *stream(offset, length) {
      for (let at = 0; at < length; at += PIECE)
        yield fill(offset + at, Math.min(PIECE, length - at));
    },
    async close() {},
  };
}

/** A device that only remembers what was written where, by buffer. */
function countingDevice(): {
  device: GPUDevice;
  writes: Map<string, Map<number, { first: number; last: number; size: number }>>;
  /** The most bytes that were written without a submit: what wgpu stages in host memory. */
  staged: () => number;
} {
  let unsubmitted = 0;
  let most = 0;
  const writes = new Map<string, Map<number, { first: number; last: number; size: number }>>();
  const queue = {
    writeBuffer(buffer: { name: string }, offset: number, data: Uint8Array) {
      unsubmitted += data.byteLength;
      most = Math.max(most, unsubmitted);
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      const list = writes.get(buffer.name) ?? new Map();
      writes.set(buffer.name, list);
      list.set(offset, {
        first: view.getUint32(0, true),
        last: view.getUint32(data.byteLength - 4, true),
        size: data.byteLength,
      });
    },
    submit() {
      unsubmitted = 0;
    },
  };
  return { device: { queue } as unknown as GPUDevice, writes, staged: () => most };
}

/** Every byte of every matrix must have come from its own place in the file. */
function check(
  file: ModelFile,
  placement: Placement,
  writes: ReturnType<typeof countingDevice>["writes"],
): number {
  let bytes = 0;
  for (const { tensor, pieces, rowBytes } of placement.matrices.values()) {
    let rows = 0;
    for (const piece of pieces) {
      expect(piece.first).toBe(rows);
      rows += piece.rows;
      const size = piece.rows * rowBytes;
      const start = tensor.offset + piece.first * rowBytes;
      for (let at = 0; at < size; ) {
        const write = writes.get(piece.buffer)?.get(piece.offset + at);
        if (!write) throw new Error(`${tensor.name}: nothing written at ${at}`);
        expect(write.first).toBe(((start + at) / 4) >>> 0);
        expect(write.last).toBe(((start + at + write.size) / 4 - 1) >>> 0);
        at += write.size;
        bytes += write.size;
      }
    }
    expect(rows).toBe(tensor.elements / tensor.shape[0]);
  }
  expect(bytes).toBe(
    [...placement.matrices.keys()].reduce((sum, name) => sum + file.tensors.get(name)!.bytes, 0),
  );
  return bytes;
}

describe("a 20 GB file", () => {
  it.each([
    ["pieces of 128 MiB, WebGPU's default", 128 << 20],
    ["whole tensors, as a device with large bindings takes them", 4 * 2 ** 30 - 4],
  ])(
    "reaches the device from the right ranges in %s",
    { timeout: 60_000 },
    async (_, maxPieceBytes) => {
      const { bytes, size } = ggufHeader(
        randomModel({ shape: "llama-3-8b", type: "f16", layers: 40 }),
      );
      expect(size).toBeGreaterThan(19e9);
      const source = sparseSource(bytes, size);
      const file = await readGguf(source);
      const placement = placeWeights(
        buildGraph(file, { contextLength: 4096 }),
        file,
        maxPieceBytes,
      );
      for (const buffer of placement.buffers.values())
        expect(buffer).toBeLessThanOrEqual(maxPieceBytes);
      const { device, writes, staged } = countingDevice();
      const names = new Map(
        [...placement.buffers.keys()].map((name) => [name, { name } as unknown as GPUBuffer]),
      );
      let reported = 0;
      await loadWeights(
        {
          device,
          staging: new Buffers({ device, capabilities: { name: "", limits: {} } }),
          software: false,
        },
        names,
        placement,
        file,
        { names: [], extra: 0 },
        { onProgress: (loaded) => (reported = loaded) },
      );
      expect(check(file, placement, writes)).toBeGreaterThan(19e9);
      expect(staged()).toBeLessThan(128 << 20);
      expect(reported).toBeGreaterThan(19e9);
      // The host never asks for more than a header's piece at once: its memory does not grow with the file.
      expect(source.largest).toBeLessThan(16 << 20);
    },
  );
});
