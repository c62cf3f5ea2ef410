/** Falcon: attention and feed-forward side by side; the larger models norm each on its own. */
import { selfAttention } from "./parts/attention.ts";
import { decoder, logits } from "./parts/decoder.ts";
import { plainFfn } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";

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
