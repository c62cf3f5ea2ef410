/** Qwen3.5: Qwen3-Next whose projections are matrices of their own; dense and with experts. */
import type { Family } from "./parts/model.ts";
import { qwen3next } from "./qwen3next.ts";

export const qwen35: Family = qwen3next;
