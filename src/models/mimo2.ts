/** MiMo V2: sliding layers, some with attention sinks, scaled values, routing by sigmoid. */
import type { Family } from "./parts/model.ts";
import { slidingInTurn } from "./parts/sliding-in-turn.ts";

export const mimo2: Family = slidingInTurn({ gate: "sigmoid", normalize: true }, 10000);
