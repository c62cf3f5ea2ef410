/** Mellum: Qwen3 with sliding and full layers in turn. */
import type { Family } from "./parts/model.ts";
import { slidingInTurn } from "./parts/sliding-in-turn.ts";

export const mellum: Family = slidingInTurn({ normalize: true });
