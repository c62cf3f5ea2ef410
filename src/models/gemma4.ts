/** Gemma 4: two kinds of heads, values without learned norms, late layers that share earlier caches. */
import type { Ref } from "../graph/ops.ts";
import { decoder, logits } from "./parts/decoder.ts";
import { experts, gatedFfn } from "./parts/ffn.ts";
import type { Family, ModelBuilder } from "./parts/model.ts";
import { perLayerBlock, perLayerInputs } from "./parts/per-layer.ts";
import { sharedAttention } from "./parts/shared-cache.ts";

/** A dense feed-forward, with experts beside it in the larger models; each has its own norms. */
function feedForward(m: ModelBuilder, x: Ref): Ref {
  const dense = gatedFfn(m, m.rmsNorm(x, "ffn_norm"), "gelu");
  if (!m.has("ffn_gate_inp")) return dense;
  const even = m.scale(m.rmsNorm(x), 1 / Math.sqrt(m.width(x)));
  const router = m.linear(m.mulWeight(even, "ffn_gate_inp.scale"), "ffn_gate_inp");
  const routed = experts(m, m.rmsNorm(x, "pre_ffw_norm_2"), {
    kind: "gelu",
    gate: "softmax",
    normalize: true,
    router,
  });
  return m.add(m.rmsNorm(dense, "post_ffw_norm_1"), m.rmsNorm(routed, "post_ffw_norm_2"));
}

export const gemma4: Family = (m) => {
  const { h } = m;
  const slidingWidth = h.integer("attention.key_length_swa");
  const attention = sharedAttention(m, {
    own: h.layers - h.within("attention.shared_kv_layers", 0, h.layers - 1, 0),
    interval: 6,
    slidingWidth,
    sliding: { rotated: h.integer("rope.dimension_count_swa", slidingWidth) },
  });
  const embedded = m.takeGiven(m.scale(m.embed("token_embd"), Math.sqrt(h.width)));
  const extra = h.integer("embedding_length_per_layer_input", 0);
  const inputs = extra > 0 ? perLayerInputs(m, embedded, extra) : undefined;
  const finalCap = h.number("final_logit_softcapping", 30);
  return decoder(
    m,
    (x, layer) => {
      const attended = attention(m.rmsNorm(x, "attn_norm"), layer);
      const after = m.add(x, m.rmsNorm(attended, "post_attention_norm"));
      let out = m.add(after, m.rmsNorm(feedForward(m, after), "post_ffw_norm"));
      if (inputs !== undefined) out = m.add(out, perLayerBlock(m, out, inputs, layer));
      return m.has("layer_output_scale") ? m.mulWeight(out, "layer_output_scale") : out;
    },
    (x) => m.softcap(logits(m, m.rmsNorm(x, "output_norm")), finalCap),
    embedded,
  );
};
