/** Hunyuan 3: Llama with head norms, and experts chosen by sigmoid scores. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const hyV3: Family = llamaLike("neox", { gate: "sigmoid" });
