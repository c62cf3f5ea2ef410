import type { Plan } from "../../src/plan/plan.ts";

/** Dispatches of each layer, and of what stands outside the layers. */
export function dispatchesByLayer(plan: Plan): { layers: number[]; outside: number } {
  const layers: number[] = [];
  let outside = 0;
  for (const { layer } of plan.calls) {
    if (layer < 0) outside++;
    else layers[layer] = (layers[layer] ?? 0) + 1;
  }
  return { layers, outside };
}
