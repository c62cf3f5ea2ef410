import { describe, expect, it } from "vitest";
import { randomModel } from "../../bench/models.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufHeader } from "../../src/gguf/write.ts";
import { buildGraph } from "../../src/models/index.ts";
import { planFor } from "../../src/plan/model-plan.ts";
import type { Capabilities } from "../../src/platform/types.ts";

const capabilities = {
  name: "default limits",
  ...{ vendor: "", architecture: "" },
  software: false,
  limits: { maxBufferSize: 256 << 20, maxStorageBufferBindingSize: 128 << 20 },
} as unknown as Capabilities;

describe("memory of a plan", () => {
  it("of an 8B Q4_0 at 8,192 tokens is at most 1.05 times weights and cache", async () => {
    const header = ggufHeader(randomModel({ shape: "llama-3-8b", type: "q4_0" }));
    const file = await readGguf(bufferSource(header.bytes, "8b.gguf"), { headerOnly: true });
    const graph = buildGraph(file, { contextLength: 8192 });
    const { memory } = planFor(
      graph,
      file,
      { capabilities },
      {
        contextLength: 8192,
        maxSequences: 1,
        cacheTypeK: "f16",
        cacheTypeV: "f16",
      },
    );
    let tensors = 0;
    for (const tensor of file.tensors.values()) tensors += tensor.bytes;
    const cache = 8192 * 32 * 2 * 1024 * 2;
    expect(memory.cache).toBe(cache);
    expect(memory.weights).toBeLessThan(1.02 * tensors);
    expect(memory.weights + memory.cache + memory.arena).toBeLessThan(1.05 * (tensors + cache));
  });

  it("that no binding can hold is refused before anything is allocated", async () => {
    const header = ggufHeader(randomModel({ shape: "llama-3-8b", type: "q4_0" }));
    const file = await readGguf(bufferSource(header.bytes, "8b.gguf"), { headerOnly: true });
    const graph = buildGraph(file, { contextLength: 1 << 20 });
    const plan = () =>
      planFor(
        graph,
        file,
        { capabilities },
        {
          contextLength: 1 << 20,
          maxSequences: 1,
          cacheTypeK: "f32",
          cacheTypeV: "f32",
        },
      );
    expect(plan).toThrow("use a smaller context or cache type");
  });
});
