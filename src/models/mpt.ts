/** MPT: GPT-2 with ALiBi, whose bias the file names, or with learned positions. */
import { layerNormed } from "./parts/layer-normed.ts";
import type { Family } from "./parts/model.ts";

export const mpt: Family = layerNormed();
