/** Ling 2.0: experts in groups, and a norm of each head. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const bailingmoe2: Family = llamaLike("neox", {});
