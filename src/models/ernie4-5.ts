/** ERNIE 4.5: Llama. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const ernie45: Family = llamaLike("norm");

/** With shared experts, and routed ones whose weights add up to 1. */
export const ernie45Moe: Family = llamaLike("norm", { gate: "softmax", normalize: true });
