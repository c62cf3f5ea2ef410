/** InternLM 2: Llama. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const internlm2: Family = llamaLike("norm");
