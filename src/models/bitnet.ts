/**
 * BitNet b1.58 (https://arxiv.org/abs/2402.17764): norms before the output and down projections.
 */
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const bitnet: Family = (m) =>
  transformer(m, {
    rope: "neox",
    attention: () => ({ joined: (x) => m.rmsNorm(x, "attn_sub_norm") }),
    ffn: (x) => {
      const inner = m.gated(m.linear(x, "ffn_gate"), m.linear(x, "ffn_up"), "silu");
      return m.linear(m.rmsNorm(inner, "ffn_sub_norm"), "ffn_down");
    },
  });
