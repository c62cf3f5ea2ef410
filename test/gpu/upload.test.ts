/** Weights on their way into buffers: what came, at its place, or an error. */
import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../src/base/source.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { loadWeights } from "../../src/gpu/upload.ts";
import { buildGraph } from "../../src/models/index.ts";
import { placeWeights } from "../../src/plan/place.ts";
import { Buffers } from "../../src/platform/buffers.ts";
import { fixture } from "../fixture.ts";

const bytes = await fixture("reference/archs/llama.gguf");
const file = await readGguf(bufferSource(bytes));
const graph = buildGraph(file, { contextLength: 32 });
const placement = placeWeights(graph, file, 128 << 20);

/** Uploads from a source and returns what stands in each buffer. */
async function upload(source: ByteSource): Promise<Map<string, Uint8Array>> {
  const contents = new Map(
    [...placement.buffers].map(([name, size]) => [name, new Uint8Array(size)]),
  );
  const queue = {
    submit() {},
    writeBuffer(name: string, offset: number, data: Uint8Array) {
      contents.get(name)!.set(data, offset);
    },
  };
  const names = new Map([...contents.keys()].map((name) => [name, name]));
  const device = { queue } as unknown as GPUDevice;
  const buffers = names as unknown as ReadonlyMap<string, GPUBuffer>;
  const odd = { ...file, sources: [source] };
  const staging = new Buffers({ device, capabilities: { name: "", limits: {} } });
  const want = { names: [], extra: 0 };
  await loadWeights({ device, staging, software: false }, buffers, placement, odd, want);
  return contents;
}

/** The file, streamed in pieces of `size` bytes, all together `off` bytes more or less than asked for. */
const pieces = (size: number, off = 0): ByteSource => ({
  ...bufferSource(bytes, "odd.gguf"),
  async *stream(offset, length) {
    const wanted = length + off;
    for (let at = 0; at < wanted; at += size)
      yield bytes.slice(offset + at, offset + Math.min(wanted, at + size));
  },
});

describe("an upload", () => {
  it("is the same however the bytes come", async () => {
    const whole = await upload(bufferSource(bytes));
    for (const size of [1001, 64, 1 << 20])
      for (const [name, content] of await upload(pieces(size))) {
        const same = whole.get(name)!.every((byte, i) => byte === content[i]);
        expect([size, name, same]).toEqual([size, name, true]);
      }
  });

  it.each([[-1], [1], [-100], [4]])("of %d bytes more than asked for is an error", async (off) => {
    const refused = { code: "source/io", file: "odd.gguf" };
    await expect(upload(pieces(1000, off))).rejects.toMatchObject(refused);
  });

  it("of vectors that come short is an error", async () => {
    const source = { ...bufferSource(bytes, "odd.gguf"), read: async () => new Uint8Array(3) };
    await expect(upload(source)).rejects.toMatchObject({ code: "source/io", actual: 3 });
  });
});
