import { tokenPosition } from "../../graph/rope.ts";
import type { OpsOf } from "./context.ts";
import type { RopeAngles } from "./rope-angles.ts";

/** Rotates each pair of each head by its row's position: (a, b) → (a·cos − b·sin, a·sin + b·cos). */
export function rope(
  x: Float32Array,
  positions: ArrayLike<number>,
  headWidth: number,
  start: number,
  style: "norm" | "neox",
  angles: RopeAngles,
): Float32Array {
  const { rotated } = angles.table;
  const half = rotated / 2;
  const [stride, reach] = style === "norm" ? [2, 1] : [1, half];
  const out = x.slice();
  const width = x.length / positions.length;
  for (let row = 0; row < positions.length; row++) {
    const table = angles.upTo(positions[row]);
    for (let head = row * width; head < (row + 1) * width; head += headWidth) {
      for (let pair = 0; pair < half; pair++) {
        const at = tokenPosition(positions[row], angles.components[pair]) * rotated + 2 * pair;
        const [cos, sin] = [table[at], table[at + 1]];
        const i = head + start + pair * stride;
        out[i] = x[i] * cos - x[i + reach] * sin;
        out[i + reach] = x[i] * sin + x[i + reach] * cos;
      }
    }
  }
  return out;
}

export const ropeOps: OpsOf<"rope"> = {
  rope: (op, c) =>
    rope(c.value(op.x), c.positions(), op.headWidth, op.start, op.style, c.angles(op.table)),
};
