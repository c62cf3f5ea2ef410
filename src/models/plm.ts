/** PLM (https://arxiv.org/abs/2503.12167): latent attention, and squared ReLU without a gate. */
import { decoder } from "./parts/decoder.ts";
import { plainFfn } from "./parts/ffn.ts";
import { latentAttention } from "./parts/latent.ts";
import type { Family } from "./parts/model.ts";
import { ropeOf } from "./parts/rope.ts";

export const plm: Family = (m) => {
  const rope = ropeOf(m, "norm");
  return decoder(m, (x, layer) => {
    const y = m.rmsNorm(x, "attn_norm");
    const after = m.add(x, latentAttention(m, y, { layer, rope }));
    return m.add(after, plainFfn(m, m.rmsNorm(after, "ffn_norm"), "relu2"));
  });
};
