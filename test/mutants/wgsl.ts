/** wgsl/mod.ts is made anew (scripts/wgsl.ts) from a file that is changed. */
import type { Mutant } from "./mutant.ts";

const barriers = { tests: ["test/kernels/barriers"] } as const;

export const mutants: readonly Mutant[] = [
  {
    ...barriers,
    file: "wgsl/attention.wgsl",
    fault: "the largest scores are read before all threads have written theirs",
    from: "eighth[i] = m;\n  }\n  workgroupBarrier();",
    to: "eighth[i] = m;\n  }",
  },
  {
    ...barriers,
    file: "wgsl/attention.wgsl",
    fault: "weights of a tile are used before they are all there",
    from: "{ values[g * COLUMNS + c] *= shrink; }\n    }\n    workgroupBarrier();",
    to: "{ values[g * COLUMNS + c] *= shrink; }\n    }",
  },
  {
    ...barriers,
    file: "wgsl/matvec.wgsl",
    fault: "a row's sums overwrite those of the row before while they are being read",
    from: "    workgroupBarrier();\n  }\n  if (thread % LANES == 0u) { finish_row",
    to: "  }\n  if (thread % LANES == 0u) { finish_row",
  },
  {
    ...barriers,
    file: "wgsl/matmul.wgsl",
    fault: "the next step's rows overwrite what is being multiplied",
    from: "    workgroupBarrier();\n  }\n  for (var i = 0u; i < 8u; i++) {\n    finish_row",
    to: "  }\n  for (var i = 0u; i < 8u; i++) {\n    finish_row",
  },
  {
    file: "wgsl/moeRoute.wgsl",
    fault: "the floor of the weights' sum is dropped",
    from: "by /= max(sum, 6.103515625e-5)",
    to: "by /= sum",
    tests: ["test/kernels/moe.test"],
  },
  {
    file: "wgsl/moeRoute.wgsl",
    fault: "of equal experts the last is chosen",
    from: "(ranks[i] == own && i < e)",
    to: "(ranks[i] == own && i > e)",
    tests: ["test/kernels/moe.test"],
  },
  {
    file: "wgsl/sampleToken.wgsl",
    fault: "a token at the border of min-p is dropped",
    from: "logits[count - 1u] < lowest",
    to: "logits[count - 1u] <= lowest",
    tests: ["test/kernels/sample.test"],
  },
  {
    file: "wgsl/sampleToken.wgsl",
    fault: "a token more than top-p needs is kept",
    from: "reached >= needed",
    to: "reached > needed",
    tests: ["test/kernels/sample.test"],
  },
  {
    file: "wgsl/lib/topk.wgsl",
    fault: "of equal keys the last are kept",
    from: "(other.x == mine.x && other.y < mine.y)",
    to: "(other.x == mine.x && other.y > mine.y)",
    tests: ["test/kernels/sample.test"],
  },
  {
    file: "wgsl/argmax.wgsl",
    fault: "of equal logits that of the first thread wins, not the first one",
    from: "if (value[i] > best || (value[i] == best && place[i] < at))",
    to: "if (value[i] > best)",
    tests: ["test/kernels/argmax"],
  },
  {
    file: "wgsl/argmaxReduce.wgsl",
    fault: "of equal runs the last one wins",
    from: "other.x > best.x",
    to: "other.x >= best.x",
    tests: ["test/kernels/argmax"],
  },
  {
    file: "wgsl/embed.wgsl",
    fault: "the history of all rows but the first is not written",
    from: "if (params.by == 0u && column == 0u) {",
    to: "if (params.by == 0u && column == 0u && row == 0u) {",
    tests: ["test/kernels/embed"],
  },
  {
    file: "wgsl/embed.wgsl",
    fault: "a given row is written down as token 0",
    from: "select(found, SAMPLED, row_given(row))",
    to: "found",
    tests: ["test/kernels/embed"],
  },
  {
    file: "wgsl/embed.wgsl",
    fault: "positions are written down as tokens",
    from: "if (params.by == 0u && column == 0u) {",
    to: "if (column == 0u) {",
    tests: ["test/kernels/embed"],
  },
];
