/** Ling: Llama with shared and routed experts. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const bailingmoe: Family = llamaLike("norm", {});
