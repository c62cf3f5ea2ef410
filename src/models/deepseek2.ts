/** DeepSeek V2 and V3 (https://arxiv.org/abs/2412.19437) and Mistral 4: latent attention, grouped experts. */
import { decoder, ropeOf } from "./blocks.ts";
import { latentAttention } from "./latent.ts";
import type { Family } from "./model.ts";
import { fileFreqScale } from "./rope.ts";
import { attentionTemperature } from "./temperature.ts";
import { denseOrExperts } from "./transformer.ts";

export const deepseek2: Family = (m) => {
  const { h } = m;
  // Files hold a tenth of the multiplier that the paper calls mscale_all_dim.
  const logMultiplier = h.number("rope.scaling.yarn_log_multiplier", 0) / 0.1;
  const rope = ropeOf(m, "norm", { logMultiplier, mscale: logMultiplier || 1 });
  // YaRN's magnitude is left out of the rotation and applied to the scores, once for q and once for k.
  const magnitude = 1 + 0.1 * logMultiplier * Math.log(1 / fileFreqScale(m));
  const scale = logMultiplier === 0 ? 1 : magnitude ** 2;
  const query = attentionTemperature(m, 0);
  const groups = h.within("expert_group_count", 1, 4096, 1);
  const groupsUsed = h.within("expert_group_used_count", 1, groups, groups);
  return decoder(m, (x, layer) => {
    const y = m.rmsNorm(x, "attn_norm");
    const after = m.add(x, latentAttention(m, y, { layer, rope, scale, query }));
    const z = m.rmsNorm(after, "ffn_norm");
    return m.add(after, denseOrExperts(m, z, { groups, groupsUsed }));
  });
};
