/** Attention as published models vary it by layer, where the tiny reference models do not. */
import { describe, expect, it } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { buildGraph } from "../../src/models/index.ts";
import { familyFile } from "./headers.ts";
import { buildVariant as build, opsOf } from "./variant.ts";

/** Bases of the rotations in each layer, 0 for a layer without. */
function bases(graph: Graph): number[] {
  const found = new Map(opsOf(graph, "rope").map((op) => [op.layer, op.table.base]));
  return Array.from({ length: graph.layers }, (_, layer) => found.get(layer) ?? 0);
}

describe("norms of queries and keys", () => {
  it.each([
    ["glm4moe", "16", "16"],
    ["command-r", "16x4", "16x2"],
    ["jina-bert-v2", "64", "64"],
    ["mpt", "64", "64"],
  ])("of %s are made where the file has them", (name, q, k) => {
    const bare = {
      "blk.attn_q_norm.weight": undefined,
      "blk.attn_k_norm.weight": undefined,
      "blk.attn_q_norm.bias": undefined,
      "blk.attn_k_norm.bias": undefined,
    };
    const normed = { ...bare, "blk.attn_q_norm.weight": q, "blk.attn_k_norm.weight": k };
    const more = build(name, {}, normed).ops.length - build(name, {}, bare).ops.length;
    expect(more).toBeGreaterThanOrEqual(4);
  });
});

describe("openelm", () => {
  it("has heads and feed-forward widths by layer", () => {
    const graph = build(
      "openelm",
      {
        "attention.head_count": [2, 4],
        "attention.head_count_kv": [1, 2],
        "attention.key_length": 16,
        "attention.value_length": 16,
        feed_forward_length: [32, 96],
      },
      {
        "blk.attn_qkv.weight": undefined,
        "blk.attn_qkv.weight@0": "64x64",
        "blk.attn_qkv.weight@1": "64x128",
        "blk.attn_output.weight": undefined,
        "blk.attn_output.weight@0": "32x64",
        "blk.attn_output.weight@1": "64x64",
        "blk.ffn_gate.weight": undefined,
        "blk.ffn_up.weight": undefined,
        "blk.ffn_down.weight": undefined,
        "blk.ffn_gate.weight@0": "64x32",
        "blk.ffn_up.weight@0": "64x32",
        "blk.ffn_down.weight@0": "32x64",
        "blk.ffn_gate.weight@1": "64x96",
        "blk.ffn_up.weight@1": "64x96",
        "blk.ffn_down.weight@1": "96x64",
      },
    );
    expect(opsOf(graph, "attention").map(({ heads }) => heads)).toEqual([2, 4]);
    expect(graph.slots.map((slot) => (slot.kind === "kv" ? slot.heads : 0))).toEqual([1, 2]);
  });
});

describe("sliding layers", () => {
  const settings = { block_count: 4, "attention.sliding_window": 12, "rope.freq_base": 20000 };
  const own = { ...settings, "rope.freq_base_swa": 500, "attention.sliding_window_pattern": 2 };

  it.each([
    ["gemma2", [500, 20000, 500, 20000]],
    ["gemma3", [500, 20000, 500, 20000]],
    ["olmo2", [500, 20000, 500, 20000]],
    ["gpt-oss", [500, 20000, 500, 20000]],
    ["cohere2", [500, 0, 500, 0]],
    ["modern-bert", [20000, 500, 20000, 500]],
  ])("of %s rotate by the base that the file names for them", (architecture, expected) => {
    expect(bases(build(architecture, own))).toEqual(expected);
  });

  it("of exaone4 are those of a model with 64 layers", () => {
    const graph = build("exaone4", {
      ...own,
      block_count: 64,
      "attention.sliding_window_pattern": 4,
    });
    expect(bases(graph).slice(0, 5)).toEqual([500, 500, 500, 0, 500]);
    expect(new Set(bases(build("exaone4", own)))).toEqual(new Set([20000]));
  });

  it("of modern-bert are full ones where the file has no window", () => {
    const graph = build("modern-bert", { ...settings, "attention.sliding_window": undefined });
    expect(opsOf(graph, "attention").every(({ window }) => window === 0)).toBe(true);
    expect(bases(graph)).toEqual([20000, 20000, 20000, 20000]);
  });

  it("of mimo2 have key/value heads, widths and sinks of their own", () => {
    const graph = build(
      "mimo2",
      {
        "attention.head_count_kv": [2, 4],
        "attention.key_length": 24,
        "attention.value_length": 16,
      },
      {
        "blk.attn_q.weight": "64x96",
        "blk.attn_k.weight": undefined,
        "blk.attn_v.weight": undefined,
        "blk.attn_k.weight@0": "64x48",
        "blk.attn_v.weight@0": "64x32",
        "blk.attn_k.weight@1": "64x96",
        "blk.attn_v.weight@1": "64x64",
        "blk.attn_sinks.weight": undefined,
        "blk.attn_sinks.weight@1": "4",
      },
    );
    const slots = graph.slots.map((slot) =>
      slot.kind === "kv" ? [slot.heads, slot.keyWidth] : [],
    );
    expect(slots).toEqual([
      [2, 24],
      [4, 24],
    ]);
    expect(opsOf(graph, "attention").map(({ sinks }) => sinks !== undefined)).toEqual([
      false,
      true,
    ]);
  });
});

describe("layers without rotation", () => {
  const base = 20000;
  it.each([
    ["smollm3", { block_count: 8 }, [base, base, base, 0, base, base, base, 0]],
    ["granite_swa", { "attention.rope_pattern": [1, 0] }, [base, 0]],
    ["granite", { "rope.scaling.finetuned": false }, [0, 0]],
  ])("of %s", (architecture, changes, expected) => {
    expect(bases(build(architecture, changes))).toEqual(expected);
  });
});

describe("hunyuan_vl", () => {
  it("stretches its rotation by the factor that the file names", () => {
    const alpha = 8;
    const grown = 20000 * alpha ** (16 / 14);
    const [base] = bases(build("hunyuan_vl", { "rope.scaling.alpha": alpha }));
    expect(base).toBeCloseTo(grown, 6);
    expect(bases(build("hunyuan_vl"))[0]).toBe(20000);
  });
});

describe("LongRoPE", () => {
  const factors = { "rope_factors_long.weight": "8", "rope_factors_short.weight": "8" };
  const original = { "rope.scaling.original_context_length": 64 };
  it.each(["phi3", "phimoe", "minicpm", "granite_swa"])(
    "of %s takes the factors that fit",
    (name) => {
      const file = familyFile(name, original, undefined, factors);
      const used = (contextLength: number): Set<string | undefined> =>
        new Set(opsOf(buildGraph(file, { contextLength }), "rope").map((op) => op.table.factors));
      expect(used(64)).toEqual(new Set(["rope_factors_short.weight"]));
      expect(used(65)).toEqual(new Set(["rope_factors_long.weight"]));
    },
  );
});
