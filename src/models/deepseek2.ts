/** DeepSeek V2 and V3 (https://arxiv.org/abs/2412.19437): latent attention, grouped experts. */
import { decoder } from "./parts/decoder.ts";
import { denseOrExperts, expertGate } from "./parts/ffn.ts";
import { latentAttention } from "./parts/latent.ts";
import type { Family } from "./parts/model.ts";
import { isYarn, ropeOf, scalingFactor, yarnMagnitude } from "./parts/rope.ts";
import { attentionTemperature } from "./parts/temperature.ts";

/**
 * The forward pass, which Mistral 4 shares. `paired`: the file's multiplier stands for both of YaRN's,
 * so that the rotation keeps its length.
 */
export function latentDecoder(paired: boolean): Family {
  return (m) => {
    const { h } = m;
    // Files hold a tenth of the multiplier that the paper calls mscale_all_dim.
    const logMultiplier = h.number("rope.scaling.yarn_log_multiplier", 0) / 0.1;
    const mscale = paired && logMultiplier > 0 ? logMultiplier : 1;
    const rope = ropeOf(m, "norm", { logMultiplier, mscale });
    // What YaRN makes longer in the rotated part holds for the whole score, of query and of key.
    const scale = isYarn(m) ? yarnMagnitude(scalingFactor(m), mscale) ** 2 : 1;
    const query = attentionTemperature(m, 0);
    // GLM-4.7 Flash, whose first files do not name their gate.
    const isFlash = [47, 48].includes(h.layers) && m.shape("token_embd")[1] === 154880;
    const gate = expertGate(m, isFlash ? 2 : 1);
    return decoder(m, (x, layer) => {
      const y = m.rmsNorm(x, "attn_norm");
      const after = m.add(x, latentAttention(m, y, { layer, rope, scale, query }));
      const z = m.rmsNorm(after, "ffn_norm");
      return m.add(after, denseOrExperts(m, z, { gate }));
    });
  };
}

export const deepseek2: Family = latentDecoder(true);
