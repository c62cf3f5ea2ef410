/**
 * Qwen3 (https://arxiv.org/abs/2505.09388): grouped-query attention with a norm of each query and key
 * head before its rotation, and a feed-forward gated with SiLU; each works on the RMS norm of the
 * residual stream. The larger models have a mixture of experts, whose weights add up to 1.
 */
import { headNorm } from "./parts/attention.ts";
import { denseOrExperts } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

export const qwen3: Family = (m) =>
  transformer(m, {
    rope: "neox",
    attention: () => ({ norm: headNorm(m) }),
    ffn: (x) => denseOrExperts(m, x, { normalize: true }),
  });
