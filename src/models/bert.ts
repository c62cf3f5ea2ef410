/** BERT (https://arxiv.org/abs/1810.04805). */
import { encoder } from "./parts/encoder.ts";
import type { Family } from "./parts/model.ts";

export const bert: Family = encoder();
