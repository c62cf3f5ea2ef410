/** What is required is required: a model without it is refused when its graph is built, never computed with zeros. */
import { describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import { Metadata } from "../../src/file/metadata.ts";
import type { ModelFile } from "../../src/file/types.ts";
import { architectures, buildGraph } from "../../src/models/index.ts";
import { familyFile } from "./headers.ts";

type Changes = Parameters<typeof familyFile>[1];

/** The error of building a file, or undefined where it builds. */
function refusal(file: ModelFile): WebggufError | undefined {
  try {
    buildGraph(file, { contextLength: 256 });
    return undefined;
  } catch (error) {
    if (error instanceof WebggufError) return error;
    throw error;
  }
}

const without = (name: string, key: string): WebggufError | undefined =>
  refusal(familyFile(name, { [key]: undefined }));
const all = architectures();

describe("a key that every model needs", () => {
  it.each(["block_count", "embedding_length", "context_length"])("%s", (key) => {
    for (const name of all)
      expect([name, without(name, key)]).toMatchObject([
        name,
        { code: "model/invalid", key: `${name}.${key}` },
      ]);
  });
});

describe("an epsilon", () => {
  it.each([
    ["layerNorm", "layer_norm_epsilon"],
    ["rmsNorm", "layer_norm_rms_epsilon"],
  ])("of a %s must be there, wherever the graph asks for it", (op, key) => {
    let asked = 0;
    for (const name of all) {
      const full = `${name}.attention.${key}`;
      const keys = new Set<string>();
      const file = familyFile(name, {}, (one) => keys.add(one));
      const { ops } = buildGraph(file, { contextLength: 256 });
      if (!ops.some((one) => one.op === op)) expect([name, keys.has(full)]).toEqual([name, false]);
      if (!keys.has(full)) continue;
      asked++;
      // llama.cpp 0.5.0 takes 0 for the one family whose loader forgets to ask.
      if (name !== "qwen2vl")
        expect([name, without(name, `attention.${key}`)?.key]).toEqual([name, full]);
    }
    expect(asked).toBeGreaterThan(10);
  });

  it("is not negative, and a number", () => {
    for (const value of [-1e-6, Number.NaN, Number.POSITIVE_INFINITY, "1e-6"])
      expect(
        refusal(familyFile("llama", { "attention.layer_norm_rms_epsilon": value } as Changes)),
      ).toMatchObject({ code: "model/invalid", key: "llama.attention.layer_norm_rms_epsilon" });
  });
});

/** What llama.cpp's loader of the family insists on, besides what a missing tensor or width would show. */
const required: readonly [architecture: string, key: string][] = [
  ["command-r", "logit_scale"],
  ["cohere2", "logit_scale"],
  ["cohere2", "attention.sliding_window"],
  ["gpt-oss", "attention.sliding_window"],
  ["gemma3n", "attention.sliding_window"],
  ["gemma4", "attention.sliding_window"],
  ["jais", "attention.max_alibi_bias"],
  ["gptneox", "use_parallel_residual"],
  ["dbrx", "attention.clamp_kqv"],
  ["mamba2", "ssm.group_count"],
  ["mamba2", "ssm.state_size"],
  ["mamba", "ssm.inner_size"],
  ["falcon-h1", "ssm.group_count"],
  ["nemotron_h", "ssm.group_count"],
  ["granitehybrid", "ssm.group_count"],
  ["granite", "logit_scale"],
  ["granitemoe", "logit_scale"],
  ["qwen3next", "ssm.time_step_rank"],
  ["qwen3moe", "expert_used_count"],
  ["deepseek2", "attention.kv_lora_rank"],
  ["rwkv7", "wkv.head_size"],
  ["qwen2vl", "rope.dimension_sections"],
  ["kimi-linear", "kda.head_dim"],
  ["llama", "attention.head_count"],
];

it.each(required)("%s must say %s", (name, key) => {
  expect(without(name, key)).toMatchObject({ code: "model/invalid", key: `${name}.${key}` });
});

describe("the vocabulary", () => {
  const withTokens = (name: string, count: number): ModelFile => {
    const file = familyFile(name);
    const tokens = Array.from({ length: count }, (_, i) => `t${i}`);
    const values = new Map([...file.metadata, ["tokenizer.ggml.tokens", tokens] as const]);
    return { ...file, metadata: new Metadata(name, values) };
  };

  it("has a row of the token table for each token, in every family", () => {
    for (const name of all) {
      const rows = familyFile(name).tensors.get("token_embd.weight")!.shape[1];
      expect([name, refusal(withTokens(name, rows))]).toEqual([name, undefined]);
      for (const count of [rows - 1, rows + 1, 0])
        expect([name, refusal(withTokens(name, count))]).toMatchObject([
          name,
          { code: "model/invalid", tensor: "token_embd.weight" },
        ]);
    }
  });

  it("has a logit for each token, in every family with an output matrix", () => {
    let seen = 0;
    for (const name of all) {
      const file = familyFile(name);
      const output = file.tensors.get("output.weight");
      if (!output || buildGraph(file, { contextLength: 256 }).outputKind !== "logits") continue;
      seen++;
      const [width, rows] = output.shape;
      for (const more of [-1, 1]) {
        const shape = `${width}x${rows + more}`;
        const error = refusal(familyFile(name, {}, undefined, { "output.weight": shape }));
        expect([name, error?.code]).toEqual([name, "model/invalid"]);
      }
    }
    expect(seen).toBeGreaterThan(40);
  });
});
