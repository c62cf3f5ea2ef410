/** Queries that grow with the logarithm of the position (https://arxiv.org/abs/2501.19399). */
import type { Ref } from "../../graph/ops.ts";
import type { ModelBuilder } from "./model.ts";

/** The scaling of queries that the file asks for, if it does. */
export function attentionTemperature(
  m: ModelBuilder,
  offset: number,
): ((q: Ref) => Ref) | undefined {
  const factor = m.h.number("attention.temperature_scale", 0);
  if (factor === 0) return undefined;
  const original = m.h.integer("rope.scaling.original_context_length", m.h.trainedContext);
  const length = m.h.integer("attention.temperature_length", 0) || original;
  return (q) => m.positionScale(q, length, factor, offset);
}
