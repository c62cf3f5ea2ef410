/**
 * DeciLM and Llama Nemotron (https://arxiv.org/abs/2411.19146): Llama thinned out by a search. A
 * layer's attention has its own number of heads, is one matrix instead, or is missing; its
 * feed-forward has a width of its own, or is missing too.
 */
import { selfAttention } from "./parts/attention.ts";
import { decoder } from "./parts/decoder.ts";
import { gatedFfn } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";

export const deci: Family = (m) => {
  const { h } = m;
  const rope = ropeOf(m, "norm");
  const heads = h.perLayer("attention.head_count");
  const inner = h.perLayer("feed_forward_length");
  return decoder(m, (x, layer) => {
    let after = x;
    if (heads[layer] > 0) {
      const y = m.rmsNorm(x, "attn_norm");
      const linear = h.kvHeadsOf[layer] === 0;
      const mixed = linear ? m.linear(y, "attn_output") : selfAttention(m, y, { layer, rope });
      after = m.add(x, mixed);
    }
    if (inner[layer] === 0) return after;
    return m.add(after, gatedFfn(m, m.rmsNorm(after, "ffn_norm"), "silu"));
  });
};
