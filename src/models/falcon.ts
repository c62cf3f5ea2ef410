/** Falcon: attention and feed-forward side by side; the larger models norm each on its own. */
import { decoder, logits, plainFfn, ropeOf, selfAttention } from "./blocks.ts";
import type { Family } from "./model.ts";

export const falcon: Family = (m) => {
  const rope = ropeOf(m, "neox");
  return decoder(
    m,
    (x, layer) => {
      const y = m.layerNorm(x, "attn_norm");
      const own = m.has("attn_norm_2") ? m.layerNorm(x, "attn_norm_2") : y;
      const attended = m.add(x, selfAttention(m, own, { layer, rope }));
      return m.add(attended, plainFfn(m, y, "gelu"));
    },
    (x) => logits(m, m.layerNorm(x, "output_norm")),
  );
};
