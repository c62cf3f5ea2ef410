/** What holds for every family: nothing in a file is ignored, and what a file leaves out has its default. */
import { describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { tensorsOf } from "../../src/graph/ops.ts";
import { architectures, buildGraph } from "../../src/models/index.ts";
import { archFile } from "./altered.ts";
import { headerOf } from "./header-of.ts";
import { familyFile, headers } from "./headers.ts";

type Changes = Parameters<typeof familyFile>[1];

function build(architecture: string, changes?: Changes, read?: (key: string) => void): Graph {
  return buildGraph(familyFile(architecture, changes, read), { contextLength: 256 });
}

/** The graph as text, why it is refused, or undefined where the value is of a wrong type. */
function outcome(architecture: string, changes: Changes): string | undefined {
  try {
    return JSON.stringify(build(architecture, changes));
  } catch (error) {
    if (!(error instanceof WebggufError)) throw error;
    return error.message.startsWith("Cannot build") ? error.message : undefined;
  }
}

const all = architectures();

it("a header is known for every family", () => {
  expect(Object.keys(headers).sort()).toEqual(all);
});

it.each(["bert", "gemma3", "gpt-oss", "lfm2", "llama", "mamba2", "phi3", "qwen35", "qwen3moe"])(
  "the header of %s is what the script makes of its file",
  async (name) => expect(headerOf(await archFile(name))).toEqual(headers[name]),
);

/** Tensors without a use: of the other context length, of a first layer, of a layer that shares a cache. */
const unread: Readonly<Record<string, RegExp>> = {
  arwkv7: /^blk\.0\.time_mix_v[012]\.weight$/,
  "gemma-embedding": /^output\.weight$/,
  gemma3n: /^blk\.20\.attn_(k|v|k_norm)\.weight$/,
  "llama-embed": /^output\.weight$/,
  minicpm3: /^rope_factors_long\.weight$/,
  phi3: /^rope_factors_long\.weight$/,
  phimoe: /^rope_factors_long\.weight$/,
  rwkv7: /^blk\.0\.time_mix_v[012]\.weight$/,
};

describe("every tensor of a file", () => {
  it.each(all)("of %s is read", (architecture) => {
    const file = familyFile(architecture);
    const ops = buildGraph(file, { contextLength: 256 }).ops;
    const seen = new Set(ops.flatMap(tensorsOf));
    const ignored = [...file.tensors.keys()].filter(
      (name) => !seen.has(name) && !unread[architecture]?.test(name),
    );
    expect(ignored).toEqual([]);
  });
});

const headWidths = ["attention.key_length", "attention.value_length"];

/**
 * Keys without an effect on these models: head widths without plain attention, a window where it is the
 * larger model that has one, what another key overrules or a tensor decides.
 */
const harmless: Readonly<Record<string, readonly string[]>> = {
  arwkv7: headWidths,
  deepseek2: [...headWidths, "attention.value_length_mla"],
  "gemma-embedding": ["final_logit_softcapping"],
  gemma3n: ["attention.value_length"],
  gemma4: ["attention.value_length"],
  "gpt-oss": ["rope.scale_linear"],
  jamba: ["ssm.dt_b_c_rms"],
  "kimi-linear": [...headWidths, "attention.value_length_mla"],
  llama4: ["expert_count"],
  mamba: headWidths,
  mamba2: headWidths,
  mistral3: ["rope.scale_linear"],
  nanbeige: ["skip_loop_final_norm"],
  mistral4: [...headWidths, "rope.scale_linear", "attention.value_length_mla"],
  rwkv7: headWidths,
};

/** Other values of a key: some that fit a number, a flag, a word or a list. */
function others(value: unknown): (string | number | boolean | number[])[] {
  if (typeof value === "boolean") return [!value];
  if (Array.isArray(value)) return [value.map((n) => Number(n) + 1), value.map((n) => Number(!n))];
  const numbers = [0, 1, 2, 3, 4, 8, 0.5, 100, 1000];
  if (typeof value === "number") return [value * 2, value / 2, value + 1, value - 1, ...numbers];
  return [...numbers, true, false, "none", "yarn", [1, 1, 1, 1], "silu", [1, 0, 1, 0, 1, 0, 1, 0]];
}

describe("every hyperparameter that is looked up", () => {
  const stretched = { "rope.scaling.type": "yarn", "rope.scaling.factor": 4 };
  it.each(all)("changes the graph of %s, or must fit its tensors", (architecture) => {
    const keys = new Set<string>();
    const prefix = `${architecture}.`;
    const variants: Changes[] = [{}, { ...stretched, "rope.scaling.original_context_length": 64 }];
    for (const variant of variants)
      build(
        architecture,
        variant,
        (key) => key.startsWith(prefix) && keys.add(key.slice(prefix.length)),
      );
    // Whether attention is causal is looked up for every model; some are not, whatever the file says.
    if (!build(architecture).causal) keys.delete("attention.causal");
    const before = variants.map((variant) => outcome(architecture, variant));
    const ignored = [...keys].filter((key) => {
      const given = headers[architecture].metadata[key];
      return !variants.some((variant, i) => {
        return others(given).some((value) => {
          const after = outcome(architecture, { ...variant, [key]: value });
          return after !== undefined && after !== before[i];
        });
      });
    });
    expect(ignored).toEqual(harmless[architecture] ?? []);
  });
});

/** What llama.cpp's loader of the family takes (its hparams or a constant) where the file says nothing. */
const defaults: readonly [architecture: string, key: string, value: number, others?: Changes][] = [
  ["llama", "rope.freq_base", 10000],
  ["gemma2", "attn_logit_softcapping", 50],
  ["gemma2", "final_logit_softcapping", 30],
  ["gemma2", "attention.sliding_window", 4096],
  ["gemma2", "attention.sliding_window_pattern", 2],
  ["gemma3", "attention.sliding_window_pattern", 6],
  ["gemma3", "rope.freq_base_swa", 10000],
  ["gemma3n", "rope.freq_base_swa", 10000],
  ["gemma3n", "final_logit_softcapping", 30],
  ["gemma4", "rope.freq_base_swa", 10000],
  ["gemma4", "final_logit_softcapping", 30],
  ["grok", "logit_scale", 0.5773502691896257],
  ["grok", "embedding_scale", 78.38367176906169],
  ["grok", "attention.output_scale", 0.08838834764831845],
  ["grok", "attn_logit_softcapping", 30],
  ["grok", "rope.scaling.yarn_beta_fast", 8],
  ["cohere2", "attention.sliding_window_pattern", 4],
  ["afmoe", "expert_gating_func", 2],
  ["glm4moe", "expert_gating_func", 2],
  ["gpt-oss", "attention.sliding_window_pattern", 2],
  ["granite_swa", "attention.sliding_window_pattern", 4],
  ["mellum", "attention.sliding_window_pattern", 4],
  ["mellum", "rope.freq_base_swa", 20000],
  ["mimo2", "rope.freq_base_swa", 10000],
  ["plamo3", "rope.freq_base_swa", 10000, { block_count: 2 }],
  ["olmo2", "attention.sliding_window_pattern", 4, { "attention.sliding_window": 12 }],
  ["smallthinker", "attention.sliding_window_pattern", 4],
  ["exaone-moe", "attention.sliding_window", 128],
  ["exaone4", "attention.sliding_window", 4096, { block_count: 64 }],
  ["modern-bert", "attention.sliding_window", 0],
  ["modern-bert", "attention.sliding_window_pattern", 3, { block_count: 8 }],
  ["plamo3", "attention.sliding_window_pattern", 8],
  ["nanbeige", "num_loops", 1],
  ["modern-bert", "rope.freq_base_swa", 10000],
  ["minicpm", "embedding_scale", 12],
  ["minicpm", "residual_scale", 1.4 / Math.sqrt(2)],
  ["minicpm", "logit_scale", 64 / 256],
  ["bloom", "attention.max_alibi_bias", 8],
  ["mpt", "attention.max_alibi_bias", 0],
  ["bert", "pooling_type", 2],
];

describe("a hyperparameter that the file leaves out", () => {
  /** Enough layers for any turn, where all layers have the same tensors. */
  const deep = (architecture: string): Changes =>
    Object.keys(headers[architecture].tensors).some((name) => name.includes("@"))
      ? {}
      : { block_count: 12 };

  it.each(defaults)("%s: %s is %d", (architecture, key, value, more = {}) => {
    const layers = key === "residual_scale" ? {} : deep(architecture);
    const changes = { ...layers, ...more };
    const missing = outcome(architecture, { ...changes, [key]: undefined });
    expect(missing).toBe(outcome(architecture, { ...changes, [key]: value }));
    expect(missing).not.toBe(outcome(architecture, { ...changes, [key]: 5 }));
  });
});

/** Windows of the layers, 0 for a full one. */
const windows = (graph: Graph): number[] =>
  graph.slots.map((slot) => (slot.kind === "kv" ? slot.window : -1));

/** Bases of the rotations in each layer. */
function bases(graph: Graph): number[] {
  const found = new Map<number, number>();
  for (const op of graph.ops) if (op.op === "rope") found.set(op.layer, op.table.base);
  return Array.from({ length: graph.layers }, (_, layer) => found.get(layer) ?? 0);
}

it("given rows are scaled as in llama.cpp: not at all in Gemma 3 and later, as tokens elsewhere", () => {
  const entry = (architecture: string): string | undefined => {
    const { ops, given } = build(architecture);
    return given === undefined ? undefined : ops[given].op;
  };
  const behind = all.filter((architecture) => entry(architecture) === "scale");
  expect(behind).toEqual(["gemma-embedding", "gemma3", "gemma3n", "gemma4"]);
  for (const architecture of all)
    if (!behind.includes(architecture))
      expect([architecture, entry(architecture)]).toEqual([architecture, "embed"]);
});

describe("sliding layers", () => {
  const settings = { block_count: 8, "attention.sliding_window": 12, "rope.freq_base": 20000 };
  const w = 12;

  it("come before the full one of each turn, or after it", () => {
    const turn = { ...settings, "attention.sliding_window_pattern": 4 };
    for (const architecture of ["gemma2", "cohere2", "granite_swa", "olmo2"])
      expect(windows(build(architecture, turn))).toEqual([w, w, w, 0, w, w, w, 0]);
    const fixed = 4096;
    expect(windows(build("smallthinker", turn))).toEqual([
      0,
      fixed,
      fixed,
      fixed,
      0,
      fixed,
      fixed,
      fixed,
    ]);
    expect(windows(build("modern-bert", turn))).toEqual([0, w, w, w, 0, w, w, w]);
  });

  it("rotate with a base of their own, with that of the full ones, or alone", () => {
    const turn = { ...settings, "attention.sliding_window_pattern": 2 };
    const [own, full] = [10000, 20000];
    const inTurn = (a: number, b: number): number[] => [a, b, a, b, a, b, a, b];
    expect(bases(build("gemma2", turn))).toEqual(inTurn(full, full));
    expect(bases(build("gemma3", turn))).toEqual(inTurn(own, full));
    expect(bases(build("cohere2", turn))).toEqual(inTurn(full, 0));
    expect(bases(build("smallthinker", turn))).toEqual(inTurn(0, full));
    expect(bases(build("modern-bert", turn))).toEqual(inTurn(full, own));
  });

  it("of models with shared caches rotate with their own base, whose files have no factors", () => {
    for (const architecture of ["gemma3n", "gemma4"]) {
      const graph = build(architecture, { "rope.freq_base": 20000, "rope.scaling.factor": 4 });
      const kinds = graph.ops.flatMap((op) => {
        if (op.op !== "attention") return [];
        const query = graph.ops[op.q];
        return query.op === "rope" ? [[op.window, query.table.base, query.table.freqScale]] : [];
      });
      expect(kinds.length).toBe(graph.layers);
      expect(new Set(kinds.map(String))).toEqual(new Set(["12,10000,1", "0,20000,0.25"]));
    }
  });
});

/** The factor on the logits, which the last scaling applies. */
const logitFactor = (graph: Graph): number | undefined =>
  graph.ops.flatMap((op) => (op.op === "scale" && op.layer < 0 ? [op.by] : [])).at(-1);

describe("the scale of the logits", () => {
  it.each(["command-r", "cohere2", "grok"])("multiplies those of %s", (architecture) => {
    expect(logitFactor(build(architecture, { logit_scale: 0.25 }))).toBe(0.25);
  });
  it.each(["granite", "granite_swa", "granitehybrid", "granitemoe", "minicpm"])(
    "divides those of %s",
    (architecture) => {
      expect(logitFactor(build(architecture, { logit_scale: 0.25 }))).toBe(4);
    },
  );
});

describe("a feed-forward beside attention", () => {
  it.each([
    ["gptneox", true],
    ["phi2", false],
    ["plamo", false],
    ["command-r", false],
  ])("of %s works on a norm of the stream; one of its own: %s", (architecture, own) => {
    const { ops } = build(architecture, { use_parallel_residual: true });
    const layer = ops.filter((op) => op.layer === 0);
    const input = (stem: RegExp): number[] =>
      layer.flatMap((op) => (op.op === "linear" && stem.test(op.weight) ? [op.x] : []));
    const [attention] = input(/attn_(q|qkv)\.weight/);
    const [ffn] = input(/ffn_up\.weight/);
    expect(ffn === attention).toBe(!own);
    const stream = (x: number): unknown => {
      const op = ops[x];
      return op.op === "layerNorm" || op.op === "rmsNorm" ? op.x : undefined;
    };
    expect(stream(ffn)).toBe(stream(attention));
  });
});
