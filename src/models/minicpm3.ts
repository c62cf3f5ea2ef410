/** MiniCPM3: latent attention whose keys and values are made for every head, and MiniCPM's factors. */
import { decoder, logits } from "./parts/decoder.ts";
import { gatedFfn } from "./parts/ffn.ts";
import { latentAttention } from "./parts/latent.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";

export const minicpm3: Family = (m) => {
  const { h } = m;
  const rope = ropeOf(m, "neox");
  // As MiniCPM, but the file does not name the factors.
  const residual = 1.4 / Math.sqrt(h.layers);
  return decoder(
    m,
    (x, layer) => {
      const y = m.rmsNorm(x, "attn_norm");
      const after = m.add(x, m.scale(latentAttention(m, y, { layer, rope }), residual));
      const ffn = gatedFfn(m, m.rmsNorm(after, "ffn_norm"), "silu");
      return m.add(after, m.scale(ffn, residual));
    },
    (x) => logits(m, m.scale(m.rmsNorm(x, "output_norm"), 256 / h.width)),
    m.scale(m.embed("token_embd"), 12),
  );
};
