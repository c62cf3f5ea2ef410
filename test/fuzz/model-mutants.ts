/** Damaged model files, loaded as users load them: each must end soon and without taking memory along. */
import { platform } from "#platform";
import { loadModel } from "../../mod.ts";
import { WebggufError } from "../../src/base/errors.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import type { MetadataValue } from "../../src/file/metadata.ts";
import type { ModelFile } from "../../src/file/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufBytes } from "../../src/gguf/write.ts";
import { buildGraph } from "../../src/models/index.ts";
import { planFor } from "../../src/plan/model-plan.ts";
import type { Capabilities, Platform } from "../../src/platform/types.ts";
import { fixture } from "../fixture.ts";
import { mutate, random } from "./mutate.ts";

/** WebGPU's default limits. */
const capabilities = {
  name: "default limits",
  ...{ vendor: "", architecture: "" },
  software: true,
  limits: { maxBufferSize: 256 << 20, maxStorageBufferBindingSize: 128 << 20 },
} as unknown as Capabilities;

/** What each file may take; the time is for machines that are busy with something else. */
const MOST = { milliseconds: 3000, bytes: 96 << 20 };

const options = { contextLength: 64, maxSequences: 1, chunk: 16 } as const;

const headerOf = async (name: string): Promise<ModelFile> =>
  readGguf(bufferSource(await fixture(name)));

/** Everything that happens to a file until its first logits, and the plan that a GPU would have. */
async function compute(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const model = await loadModel(bytes, { device: "cpu", ...options });
  try {
    const graph = buildGraph(model.file, options);
    const cacheTypes = { cacheTypeK: "f16", cacheTypeV: "f16" } as const;
    planFor(graph, model.file, { capabilities }, { ...options, ...cacheTypes });
    const logits = await model.session().logits([1, 2]);
    return logits.length === 2 * graph.vocabulary ? "computed" : "other logits";
  } finally {
    await model.dispose();
  }
}

/** Values that no key expects. */
const odd: readonly MetadataValue[] = [
  ...[
    0,
    1,
    2,
    3,
    7,
    64,
    96,
    65_535,
    2 ** 31 - 1,
    2 ** 40,
    -1,
    0.5,
    1e30,
    Number.NaN,
    Number.MIN_VALUE,
  ],
  ...["", "x", "llama", "yarn", "gpt2", true, false, 2n ** 63n],
  ...[[], ["a"], [true, false], new Uint32Array(3), new Float32Array([1, 2]), new Float64Array(96)],
];

/** The file with a few keys and tensors that say something else; it is well formed, so it comes further. */
async function contradicting(
  file: ModelFile,
  bytes: Uint8Array<ArrayBuffer>,
  below: (n: number) => number,
): Promise<Uint8Array<ArrayBuffer>> {
  const metadata = new Map<string, MetadataValue>(file.metadata);
  const keys = [...metadata.keys(), "tokenizer.ggml.model", "tokenizer.ggml.scores", "split.count"];
  const table = [...file.tensors.values()];
  for (let times = 1 + below(3); times > 0; times--) {
    const key = keys[below(keys.length)];
    if (below(4) === 0) metadata.delete(key);
    else metadata.set(key, odd[below(odd.length)]);
    const at = below(table.length);
    const what = below(18);
    if (what < 3) table.splice(at, 1);
    else if (what < 5) table.push({ ...table[at], name: `${table[at].name}.${below(3)}` });
    else if (what < 8) {
      const [width = 1, ...rest] = table[at].shape;
      const shape = below(2) === 0 ? [width * 2, ...rest] : [...rest, width];
      table[at] = { ...table[at], shape };
    }
  }
  const tensors = table.map(({ name, type, shape, offset }) => {
    const elements = shape.reduce((product, n) => product * n, 1);
    const length = (elements / type.elements) * type.bytes;
    const data = new Uint8Array(length);
    data.set(bytes.subarray(offset, offset + length).subarray(0, length));
    return { name, type, shape, data };
  });
  return ggufBytes({ metadata: [...metadata], tensors });
}

/** `count` mutants: how many ended in which way, and what must not be. */
export async function loadMutants(
  count: number,
): Promise<{ outcomes: Map<string, number>; wrong: string[] }> {
  const changeable = platform as { memory: Platform["memory"] };
  const real = platform.memory;
  changeable.memory = async () => 64 << 20;
  try {
    return await run(count);
  } finally {
    changeable.memory = real;
  }
}

async function run(count: number): Promise<{ outcomes: Map<string, number>; wrong: string[] }> {
  // The header decides; tensor data is only bytes, so mutations hit the header.
  const seeds = [];
  for (const [name, header] of [
    ["tiny-model/webgguf-tale-q4_k_m.gguf", 40_000],
    ["reference/archs/llama.gguf", 4_000],
    ["reference/archs/qwen3.gguf", 4_000],
    ["reference/archs/mamba2.gguf", 4_000],
    ["reference/archs/gemma3.gguf", 4_000],
  ] as const)
    seeds.push({ bytes: await fixture(name), header, file: await headerOf(name) });
  const below = random(11);
  const outcomes = new Map<string, number>();
  const wrong: string[] = [];
  for (let i = 0; i < count; i++) {
    // Large files are slower to copy and to compute; they get a smaller share.
    const seed = seeds[i % 50 === 0 ? 0 : 1 + (i % 4)];
    let bytes: Uint8Array<ArrayBuffer>;
    if (i % 2 === 0) bytes = mutate(seed.bytes, below, seed.header);
    else
      try {
        bytes = await contradicting(seed.file, seed.bytes, below);
      } catch (error) {
        // Some of it cannot even be written.
        if (error instanceof WebggufError) continue;
        throw error;
      }
    const held = process.memoryUsage().arrayBuffers;
    const started = performance.now();
    let outcome: string;
    try {
      outcome = await compute(bytes);
    } catch (error) {
      outcome = error instanceof WebggufError ? error.code : "untyped";
      if (!(error instanceof WebggufError))
        wrong.push(`${i}: ${error instanceof Error ? error.stack : String(error)}`);
      else if (error.message.length > 1000 || /\p{Cc}/u.test(error.message))
        wrong.push(`${i}: ${error.message.slice(0, 2000)}`);
    }
    const took = {
      milliseconds: performance.now() - started,
      bytes: process.memoryUsage().arrayBuffers - held,
    };
    if (took.milliseconds > MOST.milliseconds || took.bytes > MOST.bytes)
      wrong.push(`${i} (${outcome}): ${took.milliseconds} ms, ${took.bytes} bytes`);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  return { outcomes, wrong };
}
