import type { Activation } from "../../graph/ops.ts";
import { activate } from "./activation.ts";

/** kind(gate) · up; `swigluOai` with gate ≤ limit and |up| ≤ limit: gate·σ(alpha·gate)·(up + 1). */
export function gated(
  gate: Float32Array,
  up: Float32Array,
  kind: Activation | "swigluOai",
  alpha: number,
  limit: number,
): Float32Array {
  if (kind !== "swigluOai") return gate.map((g, i) => activate(kind, g) * up[i]);
  return gate.map((value, i) => {
    const g = Math.min(value, limit);
    const u = Math.min(limit, Math.max(-limit, up[i]));
    return (g / (1 + Math.exp(-alpha * g))) * (u + 1);
  });
}
