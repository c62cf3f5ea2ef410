/** openPangu Embedded: Llama with biases. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const panguEmbedded: Family = llamaLike("neox");
