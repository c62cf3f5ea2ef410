import { describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { buildGraph } from "../../src/models/index.ts";
import { planFor } from "../../src/plan/model-plan.ts";
import type { Capabilities } from "../../src/platform/types.ts";
import { createTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { fixture } from "../fixture.ts";
import { mutate, random } from "./mutate.ts";

/** WebGPU's default limits. */
const capabilities = {
  name: "default limits",
  software: true,
  limits: { maxBufferSize: 256 << 20, maxStorageBufferBindingSize: 128 << 20 },
} as unknown as Capabilities;

/** Everything that happens to a file before memory is taken for it. */
async function validate(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const file = await readGguf(bufferSource(bytes, "mutant.gguf"));
  const graph = buildGraph(file, { contextLength: 64 });
  const options = {
    contextLength: 64,
    maxSequences: 1,
    cacheTypeK: "f16",
    cacheTypeV: "f16",
    chunk: 16,
  } as const;
  planFor(graph, file, { capabilities }, options);
  createTokenizer(file.metadata);
  return "valid";
}

describe("mutated model files", () => {
  it("50,000 end in a typed error or a valid plan", { timeout: 300_000 }, async () => {
    // The header decides; tensor data is only bytes, so mutations hit the header.
    const seeds = [];
    for (const [name, header] of [
      ["tiny-model/webgguf-tale-q4_k_m.gguf", 40_000],
      ["reference/archs/llama.gguf", 4_000],
      ["reference/archs/qwen3.gguf", 4_000],
    ] as const)
      seeds.push({ bytes: await fixture(name), header });
    const below = random(11);
    const outcomes = new Map<string, number>();
    const strange: string[] = [];
    for (let i = 0; i < 50_000; i++) {
      // Large files are slower to copy and to plan; they get a smaller share.
      const seed = seeds[i % 25 === 0 ? 0 : 1 + (i % 2)];
      let outcome: string;
      try {
        outcome = await validate(mutate(seed.bytes, below, seed.header));
      } catch (error) {
        outcome = error instanceof WebggufError ? error.code : "untyped";
        if (!(error instanceof WebggufError))
          strange.push(error instanceof Error ? (error.stack ?? "") : String(error));
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(strange.slice(0, 3)).toEqual([]);
    expect(outcomes.get("gguf/malformed")).toBeGreaterThan(1000);
    expect(outcomes.get("model/invalid")).toBeGreaterThan(100);
  });
});
