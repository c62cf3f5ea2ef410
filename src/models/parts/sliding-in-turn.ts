/**
 * Decoders with sliding and full layers in turn, of which only the full ones stretch their
 * rotation.
 */
import { denseOrExperts, type Experts } from "./ffn.ts";
import type { Family } from "./model.ts";
import { type Transformer, transformer } from "./transformer.ts";
import { slidingTurns, unstretched } from "./window.ts";

/**
 * `base`: that of the sliding layers' rotation where the file does not say (default: that of the full
 * ones); `every`: one layer in so many is a full one; `parts`: anything else that differs from Llama.
 */
export function slidingInTurn(
  experts: Experts,
  base?: number,
  every = 4,
  parts: Transformer = {},
): Family {
  return (m) => {
    const turn = slidingTurns(m, "neox", { every, window: 0, base, ...unstretched });
    return transformer(m, {
      attention: (layer) => ({
        ...turn(layer),
        sinks: m.has("attn_sinks") ? "attn_sinks" : undefined,
        joined: (heads) => m.scale(heads, m.h.number("attention.value_scale", 1)),
      }),
      ffn: (x) => denseOrExperts(m, x, experts),
      ...parts,
    });
  };
}
