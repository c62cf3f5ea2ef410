/** Qwen2 MoE: softmax routing without normalising, and a shared expert behind a gate of its own. */
import { experts, gatedFfn, ropeOf } from "./blocks.ts";
import type { Family } from "./model.ts";
import { transformer } from "./transformer.ts";

export const qwen2moe: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return transformer(m, {
    rope: () => rope,
    ffn: (x) => {
      const gate = m.activation(m.linear(x, "ffn_gate_inp_shexp"), "sigmoid");
      const shared = m.mul(gatedFfn(m, x, "silu", "_shexp"), gate);
      return m.add(experts(m, x, { normalize: false }), shared);
    },
  });
};
