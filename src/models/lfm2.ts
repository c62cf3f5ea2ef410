/** LFM2: short gated convolutions, with attention in some layers. */
import type { Ref } from "../graph/ops.ts";
import { selfAttention } from "./parts/attention.ts";
import { decoder, logits } from "./parts/decoder.ts";
import { experts, gatedFfn } from "./parts/ffn.ts";
import type { Family, ModelBuilder } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";

/** out(c · conv(b · x)), where b, c and x are thirds of one projection. */
function shortConvolution(m: ModelBuilder, y: Ref): Ref {
  const { width } = m.h;
  const [b, c, x] = [0, 1, 2].map((third) =>
    m.linear(y, "shortconv.in_proj", { first: third * width, out: width }),
  );
  return m.linear(m.mul(c, m.conv(m.mul(b, x), "shortconv.conv")), "shortconv.out_proj");
}

export const lfm2: Family = (m) => {
  const { h } = m;
  const rope = ropeOf(m, "neox");
  const window = h.integer("attention.sliding_window", 0);
  return decoder(
    m,
    (x, layer) => {
      const y = m.rmsNorm(x, "attn_norm");
      const mixed =
        h.kvHeadsOf[layer] === 0
          ? shortConvolution(m, y)
          : selfAttention(m, y, { layer, rope, window });
      const after = m.add(x, mixed);
      const z = m.rmsNorm(after, "ffn_norm");
      const ffn = m.has("ffn_gate_inp")
        ? experts(m, z, { normalize: true })
        : gatedFfn(m, z, "silu");
      return m.add(after, ffn);
    },
    // The file calls the output norm by the embedding's name.
    (x) => logits(m, m.rmsNorm(x, m.has("output_norm") ? "output_norm" : "token_embd_norm")),
  );
};
