/** dots.llm1: Llama with head norms, and shared and routed experts. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const dots1: Family = llamaLike("neox", {});
