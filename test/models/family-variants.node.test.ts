/** Variants of single families as they are published, where the tiny reference models lack them. */
import { describe, expect, it } from "vitest";
import type { OpOf } from "../../src/graph/ops.ts";
import { familyFile } from "./headers.ts";
import { buildVariant as build, type Changes, linears, opsOf, type Tensors } from "./variant.ts";

describe("stablelm", () => {
  it("has its feed-forward beside attention where that has no norm, whatever the file's flag says", () => {
    for (const flag of [true, false, undefined]) {
      const changes = { use_parallel_residual: flag };
      const after = build("stablelm", changes);
      expect(linears(after, "ffn_up")[0].x).not.toBe(linears(after, "attn_q")[0].x);
      const norms = { "blk.ffn_norm.weight": undefined, "blk.ffn_norm.bias": undefined };
      const beside = build("stablelm", changes, norms);
      expect(linears(beside, "ffn_up")[0].x).toBe(linears(beside, "attn_q")[0].x);
    }
  });

  it("norms each head in the 12B model", () => {
    const graph = build(
      "stablelm",
      {},
      {
        "blk.attn_q_norm.weight": "16x4",
        "blk.attn_k_norm.weight": "16x2",
      },
    );
    expect(opsOf(graph, "layerNorm").filter(({ group }) => group === 16).length).toBe(4);
  });
});

describe("modern-bert", () => {
  it.each([
    ["silu", "silu"],
    ["swiglu", "silu"],
    ["gelu", "gelu"],
    [undefined, "gelu"],
  ])("gates by %s: %s", (name, kind) => {
    const graph = build("modern-bert", { hidden_activation: name });
    expect(new Set(opsOf(graph, "gated").map((op) => op.kind))).toEqual(new Set([kind]));
  });
});

describe("deepseek2", () => {
  const gates = (changes: Changes, tensors: Tensors = {}): Set<string> =>
    new Set(opsOf(build("deepseek2", changes, tensors), "moeRoute").map(({ gate }) => gate));

  it("makes its queries in one step in the lite models", () => {
    const whole = {
      "blk.attn_q_a.weight": undefined,
      "blk.attn_q_a_norm.weight": undefined,
      "blk.attn_q_b.weight": undefined,
      "blk.attn_q.weight": "64x128",
    };
    const changes = { "attention.q_lora_rank": undefined };
    expect(linears(build("deepseek2", changes, whole), "attn_q").length).toBe(3);
  });

  it("makes keys and values of all heads in files from before 2025", () => {
    const changes = {
      "attention.head_count_kv": 4,
      "attention.key_length": 32,
      "attention.value_length": 24,
      "attention.key_length_mla": undefined,
      "attention.value_length_mla": undefined,
    };
    const graph = build("deepseek2", changes, {
      "blk.attn_k_b.weight": undefined,
      "blk.attn_v_b.weight": undefined,
      "blk.attn_kv_b.weight": "32x160",
    });
    expect(graph.slots[0]).toMatchObject({ heads: 4, keyWidth: 32, valueWidth: 24 });
  });

  it("routes by softmax where the file does not say, but GLM-4.7 Flash by sigmoid", () => {
    const silent = { expert_gating_func: undefined };
    expect(gates(silent)).toEqual(new Set(["softmax"]));
    expect(gates({ expert_gating_func: 2 })).toEqual(new Set(["sigmoid"]));
    const table = { "token_embd.weight": "64x154880", "output.weight": "64x154880" };
    const all = Object.fromEntries(
      ["ffn_gate_inp.weight", "exp_probs_b.bias", "ffn_down_exps.weight", "ffn_gate_exps.weight"]
        .concat(["ffn_up_exps.weight", "ffn_gate_shexp.weight", "ffn_down_shexp.weight"])
        .concat("ffn_up_shexp.weight")
        .map((name) => [`blk.${name}@1-2`, undefined]),
    );
    const sparse = {
      "blk.ffn_gate_inp.weight@1-46": "64x8",
      "blk.ffn_down_exps.weight@1-46": "16x64x8",
      "blk.ffn_gate_exps.weight@1-46": "64x16x8",
      "blk.ffn_up_exps.weight@1-46": "64x16x8",
    };
    const flash = { ...silent, block_count: 47 };
    expect(gates(flash, { ...table, ...all, ...sparse })).toEqual(new Set(["sigmoid"]));
    expect(gates(flash, { ...all, ...sparse })).toEqual(new Set(["softmax"]));
  });
});

describe("gemma4", () => {
  const plain = {
    "per_layer_token_embd.weight": undefined,
    "per_layer_model_proj.weight": undefined,
    "per_layer_proj_norm.weight": undefined,
    "blk.inp_gate.weight": undefined,
    "blk.proj.weight": undefined,
    "blk.post_norm.weight": undefined,
  };
  const changes = { embedding_length_per_layer_input: undefined };

  it("does without embeddings by layer, and takes the full layers' values from their keys", () => {
    const graph = build("gemma4", changes, { ...plain, "blk.attn_v.weight@1,3": undefined });
    const [sliding, full] = opsOf(graph, "attention").slice(0, 2);
    const source = (value: number | undefined): unknown => {
      const op = graph.ops[value!];
      return op.op === "rmsNorm" ? [op.weight, graph.ops[op.x].name] : op.op;
    };
    expect(source(sliding.v)).toEqual([undefined, "attn_v"]);
    expect(source(full.v)).toEqual([undefined, "attn_k"]);
  });

  it("has experts beside its dense feed-forward, each with norms of its own", () => {
    const graph = build(
      "gemma4",
      { ...changes, expert_count: 4, expert_used_count: 2 },
      {
        ...plain,
        "blk.ffn_gate_inp.weight": "32x4",
        "blk.ffn_gate_inp.scale": "32",
        "blk.pre_ffw_norm_2.weight": "32",
        "blk.post_ffw_norm_1.weight": "32",
        "blk.post_ffw_norm_2.weight": "32",
        "blk.ffn_gate_up_exps.weight": "32x32x4",
        "blk.ffn_down_exps.weight": "16x32x4",
        "blk.ffn_down_exps.scale": "4",
      },
    );
    const routes = opsOf(graph, "moeRoute");
    expect(routes.map(({ gate, normalize }) => [gate, normalize])).toEqual(
      Array.from({ length: graph.layers }, () => ["softmax", true]),
    );
    // The router works on the stream as it is, the experts on its norm.
    const [route] = routes;
    const [inner] = opsOf(graph, "moeLinear");
    const normOf = (x: number): unknown => {
      const op = graph.ops[x];
      return op.op === "rmsNorm" ? [op.x, op.weight] : undefined;
    };
    const [stream, weight] = normOf(inner.x) as [number, string];
    expect(weight).toBe("blk.0.pre_ffw_norm_2.weight");
    const router = graph.ops[route.logits] as OpOf<"linear">;
    const scaled = graph.ops[router.x] as OpOf<"mulWeight">;
    const even = graph.ops[scaled.x] as OpOf<"scale">;
    expect(even.by).toBeCloseTo(1 / Math.sqrt(32), 12);
    expect(normOf(even.x)).toEqual([stream, undefined]);
  });
});

describe("recurrent layers", () => {
  it("of qwen35 are those that the file lists", () => {
    // The second layer has the tensors of attention.
    const listed = build("qwen35", {
      "attention.recurrent_layers": [1, 0],
      full_attention_interval: 7,
    });
    expect(listed).toEqual(build("qwen35", { full_attention_interval: 2 }));
  });

  it("of falcon-h1 norm their result where the file has the weights", () => {
    const groups = (tensors: Tensors): number =>
      opsOf(build("falcon-h1", {}, tensors), "rmsNorm").filter(({ weight }) =>
        weight?.endsWith("ssm_norm.weight"),
      ).length;
    const shape = "64x2";
    expect(groups({ "blk.ssm_norm.weight": shape })).toBe(2);
    expect(groups({ "blk.ssm_norm.weight": undefined })).toBe(0);
  });
});

describe("shared experts", () => {
  it.each(["deepseek", "hunyuan-moe", "ernie4_5-moe", "llama", "granitemoe"])(
    "of %s may be missing, or there",
    (name) => {
      const stems = ["gate", "up", "down"];
      const experts = {
        "blk.ffn_gate_inp.weight": "64x4",
        "blk.ffn_gate_exps.weight": "64x24x4",
        "blk.ffn_up_exps.weight": "64x24x4",
        "blk.ffn_down_exps.weight": "24x64x4",
      };
      const shared = (shape?: string, down?: string): Tensors =>
        Object.fromEntries(
          stems.map((stem) => [`blk.ffn_${stem}_shexp.weight`, stem === "down" ? down : shape]),
        );
      const used = { expert_count: 4, expert_used_count: 2 };
      const without = { ...plainOf(name), ...experts, ...shared() };
      expect(linears(build(name, used, without), "ffn_down_shexp").length).toBe(0);
      const there = { ...plainOf(name), ...experts, ...shared("64x40", "40x64") };
      expect(linears(build(name, used, there), "ffn_down_shexp").length).toBeGreaterThan(0);
    },
  );
});

/** The header's feed-forward of every kind, to be left out. */
function plainOf(architecture: string): Tensors {
  const { tensors } = familyFile(architecture);
  const left: Record<string, undefined> = {};
  for (const layer of [0, 1])
    for (const name of tensors.keys()) {
      const stem = name.replace(`blk.${layer}.`, "blk.");
      if (/^blk\.(ffn_(gate|up|down)|exp_probs)/.test(stem))
        for (const at of ["", `@${layer}`]) left[stem + at] = undefined;
    }
  return left;
}
