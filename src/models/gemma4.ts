/** Gemma 4: two kinds of heads, values without learned norms, late layers that share earlier caches. */
import type { Ref } from "../graph/ops.ts";
import { decoder, experts, gatedFfn, logits, type Rope, ropeOf } from "./blocks.ts";
import type { Family, ModelBuilder } from "./model.ts";
import { perLayerBlock, perLayerInputs } from "./per-layer.ts";
import { slidingLayers } from "./window.ts";

/** What differs between sliding and full layers. */
interface Kind {
  readonly rope: Rope;
  readonly width: number;
  readonly window: number;
}

function attention(m: ModelBuilder, y: Ref, layer: number, kind: Kind, shared?: number): Ref {
  const { rope, width, window } = kind;
  const { headsOf, kvHeadsOf } = m.h;
  const turn = (x: Ref): Ref => m.rope(x, width, rope.style, rope.table);
  const q = turn(m.rmsNorm(m.linear(y, "attn_q"), "attn_q_norm", width));
  const settings = { heads: headsOf[layer], scale: 1, window };
  if (shared !== undefined)
    return m.attention(q, undefined, undefined, { ...settings, slot: shared });
  const keys = m.linear(y, "attn_k");
  const values = m.has("attn_v") ? m.linear(y, "attn_v") : keys;
  const k = turn(m.rmsNorm(keys, "attn_k_norm", width));
  const v = m.rmsNorm(values, undefined, width);
  const slot = m.kvSlot(kvHeadsOf[layer], width, width, window);
  return m.attention(q, k, v, { ...settings, slot });
}

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
  const sliding = slidingLayers(h, 6);
  const kinds: Record<"sliding" | "full", Kind> = {
    full: { rope: ropeOf(m, "neox"), width: h.keyWidth, window: 0 },
    sliding: {
      rope: ropeOf(m, "neox", {
        base: h.number("rope.freq_base_swa", 10000),
        freqScale: 1,
        rotated: h.integer("rope.dimension_count_swa", h.integer("attention.key_length_swa")),
        factors: false,
      }),
      width: h.integer("attention.key_length_swa"),
      window: h.integer("attention.sliding_window"),
    },
  };
  const own = h.layers - h.within("attention.shared_kv_layers", 0, h.layers - 1, 0);
  const embedded = m.scale(m.embed("token_embd"), Math.sqrt(h.width));
  const extra = h.integer("embedding_length_per_layer_input", 0);
  const inputs = extra > 0 ? perLayerInputs(m, embedded, extra) : undefined;
  const finalCap = h.number("final_logit_softcapping", 30);
  /** Slots of the last layer of each kind that has a cache of its own. */
  const slots = { sliding: 0, full: 0 };
  return decoder(
    m,
    (x, layer) => {
      const name = sliding[layer] ? "sliding" : "full";
      const y = m.rmsNorm(x, "attn_norm");
      const joined = attention(m, y, layer, kinds[name], layer < own ? undefined : slots[name]);
      if (layer < own) slots[name] = m.slots - 1;
      const attended = m.rmsNorm(m.linear(joined, "attn_output"), "post_attention_norm");
      const after = m.add(x, attended);
      let out = m.add(after, m.rmsNorm(feedForward(m, after), "post_ffw_norm"));
      if (inputs !== undefined) out = m.add(out, perLayerBlock(m, out, inputs, layer));
      return m.has("layer_output_scale") ? m.mulWeight(out, "layer_output_scale") : out;
    },
    (x) => m.softcap(logits(m, m.rmsNorm(x, "output_norm")), finalCap),
    embedded,
  );
};
