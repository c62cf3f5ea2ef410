/** MiniCPM3 and PLM: latent attention whose keys and values are made for every head. */
import { decoder, gatedFfn, logits, plainFfn, ropeOf } from "./blocks.ts";
import { latentAttention } from "./latent.ts";
import type { Family } from "./model.ts";

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

export const plm: Family = (m) => {
  const rope = ropeOf(m, "norm");
  return decoder(m, (x, layer) => {
    const y = m.rmsNorm(x, "attn_norm");
    const after = m.add(x, latentAttention(m, y, { layer, rope }));
    return m.add(after, plainFfn(m, m.rmsNorm(after, "ffn_norm"), "relu2"));
  });
};
