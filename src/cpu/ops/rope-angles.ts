import type { RopeTable } from "../../graph/ops.ts";
import { pairComponents, ropeAngles } from "../../graph/rope.ts";

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
