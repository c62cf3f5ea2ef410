/** CodeShell: GPT-2 with a rotation. */
import { layerNormed } from "./parts/layer-normed.ts";
import type { Family } from "./parts/model.ts";

export const codeshell: Family = layerNormed({ rope: "neox" });
