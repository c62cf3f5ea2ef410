import type { RopeTable } from "../../graph/ops.ts";
import { pairComponents, ropeAngles, tokenPosition } from "../../graph/rope.ts";
import type { OpsOf } from "./context.ts";

/** Cos and sin by position, made as positions come up. */
export class RopeAngles {
  readonly table: RopeTable;
  readonly components: Uint8Array;
  readonly #factors?: ArrayLike<number>;
  #angles = new Float32Array(0);

  constructor(table: RopeTable, factors?: ArrayLike<number>) {
    this.table = table;
    this.components = pairComponents(table);
    this.#factors = factors;
  }

  /** [positions][rotated / 2][cos, sin], at least up to `position`. */
  upTo(position: number): Float32Array {
    const have = this.#angles.length / this.table.rotated;
    if (position >= have) {
      const want = Math.max(position + 1, Math.min(have * 2, have + 4096), 64);
      const grown = new Float32Array(want * this.table.rotated);
      grown.set(this.#angles);
      grown.set(ropeAngles(this.table, want - have, this.#factors, have), this.#angles.length);
      this.#angles = grown;
    }
    return this.#angles;
  }
}

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
