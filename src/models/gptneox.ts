/**
 * GPT-NeoX and Pythia (https://arxiv.org/abs/2204.06745): GPT-2 with a rotation, most in parallel
 * blocks.
 */
import { layerNormed } from "./parts/layer-normed.ts";
import type { Family } from "./parts/model.ts";

export const gptneox: Family = layerNormed({ rope: "neox", parallelNamed: true });
