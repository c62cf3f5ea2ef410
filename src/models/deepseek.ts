/** DeepSeek MoE (https://arxiv.org/abs/2401.06066): Llama with shared and routed experts. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const deepseek: Family = llamaLike("norm", {});
