/** ChatGLM 3 and GLM-4-9B: Llama with half of each head rotated. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const chatglm: Family = llamaLike("norm");
