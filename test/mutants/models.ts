/** Faults of families that the tests of models must notice. */
import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    file: "src/models/gemma3.ts",
    fault: "given rows are scaled like tokens",
    from: "      embedding: (x) => m.takeGiven(x),\n",
    to: "",
    tests: ["test/models/given", "test/models/families"],
  },
  {
    file: "src/models/gemma2.ts",
    fault: "default soft cap of Gemma 2",
    from: 'h.number("attn_logit_softcapping", 50)',
    to: 'h.number("attn_logit_softcapping", 0)',
  },
  {
    file: "src/models/command-r.ts",
    fault: "logits divided by their scale",
    from: "m.scale(logits(m, x), logitScale)",
    to: "m.scale(logits(m, x), 1 / logitScale)",
  },
  {
    file: "src/models/parts/factors.ts",
    fault: "logits multiplied by their scale",
    from: "m.scale(logits(m, x), 1 / logitScale)",
    to: "m.scale(logits(m, x), logitScale)",
  },
  {
    file: "src/models/parts/window.ts",
    fault: "a full layer first is ignored",
    from: "return fullFirst ? layer % every !== 0 : layer % every < every - 1;",
    to: "return layer % every < every - 1;",
  },
  {
    file: "src/models/parts/window.ts",
    fault: "one sliding layer too few in a turn",
    from: "layer % every < every - 1",
    to: "layer % every < every - 2",
  },
  {
    file: "src/models/parts/transformer.ts",
    fault: "second norm of parallel blocks ignored",
    from: "const input = t.parallel ? beside(x, y) : norm(after, stems.ffn);",
    to: "const input = t.parallel ? y : norm(after, stems.ffn);",
  },
  {
    file: "src/models/parts/transformer.ts",
    fault: "second norm of parallel blocks on attention's result",
    from: "const input = t.parallel ? beside(x, y) : norm(after, stems.ffn);",
    to: "const input = t.parallel ? beside(after, y) : norm(after, stems.ffn);",
  },
  {
    file: "src/models/parts/shared-cache.ts",
    fault: "sliding layers rotate as full ones",
    from: "const { rope, width, window } = kind;",
    to: "const { width, window } = kind;\n    const { rope } = full;",
  },
  {
    file: "src/models/modern-bert.ts",
    fault: "sliding layers rotate as full ones",
    from: "rope: sliding[layer] ? slidingRope : rope,",
    to: "rope,",
  },
  {
    file: "src/models/granite.ts",
    fault: "a rotation that the file denies",
    from: 'm.h.boolean("rope.scaling.finetuned", true) ? ropeOf(m, "norm") : undefined',
    to: 'm.h.boolean("rope.scaling.finetuned", true) ? ropeOf(m, "norm") : ropeOf(m, "norm")',
  },
  {
    file: "src/models/gemma3.ts",
    fault: "cap of the logits ignored",
    from: "causal ? m.softcap(logits(m, x), finalCap) : x",
    to: "causal ? logits(m, x) : x",
  },
  {
    file: "src/models/deepseek2.ts",
    fault: "temperature of the queries ignored",
    from: "{ layer, rope, scale, query }",
    to: "{ layer, rope, scale }",
  },
  {
    file: "src/models/deci.ts",
    fault: "the matrix in attention's place works on the stream itself",
    from: 'm.linear(y, "attn_output")',
    to: 'm.linear(x, "attn_output")',
  },
  {
    file: "src/models/deci.ts",
    fault: "attention of a layer without a feed-forward is lost",
    from: "if (inner[layer] === 0) return after;",
    to: "if (inner[layer] === 0) return x;",
  },
  {
    file: "src/models/stablelm.ts",
    fault: "the file's flag decides where the feed-forward stands",
    from: 'parallel: !m.has("blk.0.ffn_norm.weight"),',
    to: 'parallel: m.h.boolean("use_parallel_residual", !m.has("blk.0.ffn_norm.weight")),',
  },
  {
    file: "src/models/parts/decoder.ts",
    fault: "no norm between two passes",
    from: "if (pass > 0) x = between(x);",
    to: "",
  },
  {
    file: "src/models/parts/ffn.ts",
    fault: "as many experts in every layer as in the first",
    from: 'h.perLayer("expert_used_count")[m.layer()]',
    to: 'h.perLayer("expert_used_count")[0]',
  },
  {
    file: "src/models/parts/window.ts",
    fault: "the base of sliding layers is ignored",
    from: 'base: m.h.number("rope.freq_base_swa", base)',
    to: "base",
  },
  {
    file: "src/models/parts/hyper.ts",
    fault: "layers that predict further tokens are gone through",
    from: 'this.layers = blocks - this.within("nextn_predict_layers", 0, blocks - 1, 0);',
    to: "this.layers = blocks;",
  },
  {
    file: "src/models/hunyuan.ts",
    fault: "the rotation's factor without its exponent",
    from: "alpha ** (h.keyWidth / (h.keyWidth - 2))",
    to: "alpha",
  },
  {
    file: "src/models/gemma4.ts",
    fault: "experts work on the dense network's input",
    from: 'experts(m, m.rmsNorm(x, "pre_ffw_norm_2"), {',
    to: 'experts(m, m.rmsNorm(x, "ffn_norm"), {',
  },
  {
    file: "src/models/parts/shared-cache.ts",
    fault: "values that are keys are not normed",
    from: 'v = m.rmsNorm(m.has("attn_v") ? m.linear(y, "attn_v") : keys, undefined, width);',
    to: 'v = m.has("attn_v") ? m.rmsNorm(m.linear(y, "attn_v"), undefined, width) : keys;',
  },
];
