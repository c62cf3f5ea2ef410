/** EXAONE 3: Llama with another pairing of the rotated elements. */
import { llamaLike } from "./parts/llama-like.ts";
import type { Family } from "./parts/model.ts";

export const exaone: Family = llamaLike("neox");
