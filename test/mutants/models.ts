/** Faults of families that the tests of models must notice. */
import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
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
];
