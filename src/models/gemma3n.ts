/**
 * Gemma 3n: four parallel streams (AltUp, https://arxiv.org/abs/2301.13310), of which one is
 * computed.
 */
import type { Ref } from "../graph/ops.ts";
import { decoder, logits } from "./parts/decoder.ts";
import type { Family, ModelBuilder } from "./parts/model.ts";
import { perLayerBlock, perLayerInputs } from "./parts/per-layer.ts";
import { sharedAttention } from "./parts/shared-cache.ts";

const streams = 4;
/**
 * Layers with caches of their own; later ones use those of the last sliding and the last full one.
 */
const ownCaches = 20;
/**
 * Layers whose gates keep their largest 5 % only, and how many deviations that is above the mean.
 */
const sparseLayers = 10;
const deviations = 1.6448533535003662;

/**
 * The streams one after another in a row, from one row and matrices for the others, at equal
 * lengths.
 */
function widen(m: ModelBuilder, x: Ref, stem: string, from: (stream: number) => Ref): Ref[] {
  const length = m.dot(x, m.l2Norm(x, m.width(x), 1e-30));
  return Array.from({ length: streams - 1 }, (_, i) => {
    const projected = m.linear(from(i + 1), stem, { first: i * m.width(x), out: m.width(x) });
    return m.mul(m.l2Norm(projected, m.width(x), 1e-30), length);
  });
}

const stream = (m: ModelBuilder, all: Ref, i: number): Ref =>
  m.slice(all, i * m.h.width, m.h.width);

/** How much each stream matters to this row. */
function modalities(m: ModelBuilder, x: Ref): Ref {
  const normed = m.scale(m.rmsNorm(x, "altup_router_norm"), 1 / m.h.width);
  return m.activation(m.linear(normed, "altup_router"), "tanh");
}

/** Each stream plus a mix of all. A weighted sum of runs is what moeSum computes. */
function predict(m: ModelBuilder, all: Ref): Ref {
  const mix = m.linear(modalities(m, stream(m, all, 0)), "altup_predict_coef");
  const mixed = Array.from({ length: streams }, (_, i) => {
    const weights = m.slice(mix, i * streams, streams);
    return m.moeSum(all, m.concat([weights, weights]));
  });
  return m.add(all, m.concat(mixed));
}

/** The predictions plus what the computed stream added, weighed for each stream. */
function correct(m: ModelBuilder, predicted: Ref, computed: Ref): Ref {
  const news = m.add(computed, m.scale(stream(m, predicted, 0), -1));
  const weights = m.scale(m.linear(modalities(m, computed), "altup_correct_coef"), 1, 1);
  return m.add(predicted, m.moeScale(news, m.concat([weights, weights])));
}

/** What a gate exceeds its mean by beyond `deviations` standard deviations. */
function sparseGate(m: ModelBuilder, gate: Ref): Ref {
  const n = m.width(gate);
  const even = m.layerNorm(gate, undefined, n, 1e-30);
  const deviation = m.scale(m.dot(even, gate), 1 / n);
  const border = deviations * Math.sqrt(n / (n - 1));
  return m.mul(m.activation(m.scale(even, 1, -border), "relu"), deviation);
}

export const gemma3n: Family = (m) => {
  const { h } = m;
  const { width } = h;
  const attention = sharedAttention(m, {
    own: ownCaches,
    interval: 5,
    slidingWidth: h.keyWidth,
    full: { factors: false },
  });
  const embedded = m.takeGiven(m.scale(m.embed("token_embd"), Math.sqrt(width)));
  const inputs = perLayerInputs(m, embedded, m.shape("per_layer_proj_norm")[0]);
  return decoder(
    m,
    (all, layer) => {
      const predicted = predict(m, all);
      const x = stream(m, predicted, 0);
      const y = m.rmsNorm(x, "attn_norm");
      const low = m.rmsNorm(m.linear(m.linear(y, "laurel_l"), "laurel_r"), "laurel_post_norm");
      const attended = m.rmsNorm(attention(y, layer), "post_attention_norm");
      const both = m.scale(m.add(m.add(x, attended), m.add(y, low)), Math.SQRT1_2);
      const z = m.rmsNorm(both, "ffn_norm");
      const gate = m.linear(z, "ffn_gate");
      const up = m.linear(z, "ffn_up");
      const sparse = layer < sparseLayers ? sparseGate(m, gate) : gate;
      const ffn = m.rmsNorm(m.linear(m.gated(sparse, up, "gelu"), "ffn_down"), "post_ffw_norm");
      const corrected = correct(m, predicted, m.add(both, ffn));
      const first = m.mulWeight(stream(m, corrected, 0), "altup_correct_scale");
      const extra = perLayerBlock(m, first, inputs, layer);
      const others = Array.from({ length: streams - 1 }, (_, i) =>
        m.add(stream(m, corrected, i + 1), extra),
      );
      return m.concat([stream(m, corrected, 0), ...others]);
    },
    (all) => {
      const x = stream(m, all, 0);
      const others = widen(m, x, "altup_unembd_proj", (i) => stream(m, all, i));
      const mean = m.scale(
        others.reduce((sum, other) => m.add(sum, other), x),
        1 / streams,
      );
      return m.softcap(
        logits(m, m.rmsNorm(mean, "output_norm")),
        h.number("final_logit_softcapping", 30),
      );
    },
    m.concat([embedded, ...widen(m, embedded, "altup_proj", () => embedded)]),
  );
};
