/** Granite 4: Mamba-2 layers with some attention, and Granite's factors. */
import { selfAttention } from "./parts/attention.ts";
import { decoder } from "./parts/decoder.ts";
import { factors } from "./parts/factors.ts";
import { mamba2Mixer } from "./parts/mamba-mixers.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";

export const graniteHybrid: Family = (m) => {
  const { h } = m;
  const rope = h.boolean("rope.scaling.finetuned", true) ? ropeOf(m, "norm") : undefined;
  const { embeddingScale = 1, residualScale = 1, ffn, logits } = factors(m);
  return decoder(
    m,
    (x, layer) => {
      const y = m.rmsNorm(x, "attn_norm");
      const mixed =
        h.kvHeadsOf[layer] > 0 ? selfAttention(m, y, { layer, rope }) : mamba2Mixer(m, y);
      const after = m.add(x, m.scale(mixed, residualScale));
      return m.add(after, m.scale(ffn(m.rmsNorm(after, "ffn_norm"), layer), residualScale));
    },
    (x) => logits(m.rmsNorm(x, "output_norm")),
    m.scale(m.embed("token_embd"), embeddingScale),
  );
};
