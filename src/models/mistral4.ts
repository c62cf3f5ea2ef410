/** Mistral 4: DeepSeek V3, whose rotation grows longer with YaRN's multiplier. */
import { latentDecoder } from "./deepseek2.ts";
import type { Family } from "./parts/model.ts";

export const mistral4: Family = latentDecoder(false);
