/** Rotary embeddings: (a, b) → (a · cos − b · sin, a · sin + b · cos), four pairs or two at a time. */
import type { RopeTable } from "../../../graph/ops.ts";
import { tokenPosition } from "../../../graph/rope.ts";
import type { ModuleBuilder } from "../../../wasm/assembler.ts";
import { copy, f32x4, i32, int, shuffle, v128 } from "../../../wasm/instructions.ts";
import type { CpuOps, OpContext } from "../../ops/context.ts";
import type { Kernels } from "../kernels.ts";
import { bump, bytesOf, repeat } from "../math.ts";

const { add, mul, sub } = f32x4;

/**
 * rope_STYLE(x, y, angles, heads, headWidth, start, rotated, rows). Angles of a row, 2 · rotated floats: for neox
 * the pairs' cosines, then their sines; for norm an element's cosines, then the sines with the signs of their use.
 */
export function defineRope(module: ModuleBuilder): void {
  for (const style of ["norm", "neox"] as const)
    module.define(`rope_${style}`, 8, (f, x, y, angles, heads, headWidth, start, rotated, rows) => {
      const next = f.let(bytesOf(headWidth));
      const reach = f.let(style === "norm" ? bytesOf(rotated) : i32.shl(rotated, int(1)));
      copy(f, y, x, i32.mul(i32.mul(next, heads), rows));
      for (const at of [x, y]) bump(f, at, bytesOf(start));
      repeat(f, rows, () => {
        const turns = f.let(heads);
        repeat(f, turns, () => {
          const [from, to, own, left] = [x, y, angles, i32.shr(reach, int(4))].map((v) => f.let(v));
          repeat(f, left, () => {
            const [a, cos] = [from, own].map((at) => f.let(v128.load(at)));
            const sin = f.let(v128.load(i32.add(own, reach)));
            if (style === "norm") {
              const swapped = shuffle(4, a, a, 1, 0, 3, 2);
              v128.store(f, to, add(mul(a, cos), mul(swapped, sin)));
            } else {
              const b = f.let(v128.load(i32.add(from, reach)));
              v128.store(f, to, sub(mul(a, cos), mul(b, sin)));
              v128.store(f, i32.add(to, reach), add(mul(a, sin), mul(b, cos)));
            }
            for (const at of [from, to, own]) bump(f, at, 16);
          });
          bump(f, x, next);
          bump(f, y, next);
        });
        bump(f, angles, i32.shl(rotated, int(3)));
      });
    });
}

/** Floats of a row of angles. */
export const angleWidth = (table: RopeTable): number => 2 * table.rotated;

/** The angles of the rows at hand, in memory. */
interface Angles {
  readonly values: Float32Array;
  first: number;
  rows: number;
}

/** @param angles room for as many rows as are computed at once, by table */
export function ropeOps(
  k: Kernels,
  plain: CpuOps,
  angles: ReadonlyMap<RopeTable, Float32Array>,
): Partial<CpuOps> {
  const known = new Map<RopeTable, Angles>();
  const anglesOf = (table: RopeTable, style: string, c: OpContext): Angles => {
    let own = known.get(table);
    if (!own) known.set(table, (own = { values: angles.get(table)!, first: 0, rows: 0 }));
    const rows = c.rows.tokens.length;
    if (own.first === c.first && own.rows >= rows) return own;
    const { components } = c.angles(table);
    const { rotated } = table;
    for (let row = 0; row < rows; row++) {
      const all = c.angles(table).upTo(c.first + row);
      for (let pair = 0; pair < rotated / 2; pair++) {
        const at = tokenPosition(c.first + row, components[pair]) * rotated + 2 * pair;
        const [cos, sin] = [all[at], all[at + 1]];
        const to = row * 2 * rotated;
        const { values } = own;
        if (style === "neox") {
          values[to + pair] = cos;
          values[to + rotated / 2 + pair] = sin;
        } else {
          values[to + 2 * pair] = cos;
          values[to + 2 * pair + 1] = cos;
          values[to + rotated + 2 * pair] = -sin;
          values[to + rotated + 2 * pair + 1] = sin;
        }
      }
    }
    own.first = c.first;
    own.rows = rows;
    return own;
  };
  return {
    rope: (op, c) => {
      const { table, style, headWidth, start } = op;
      const { rotated } = table;
      const x = c.value(op.x);
      const rows = c.rows.tokens.length;
      if (rotated % 8 !== 0 || c.width(op.x) * rows !== x.length) return plain.rope(op, c);
      const y = c.make(x.length);
      const { values } = anglesOf(table, style, c);
      const heads = x.length / rows / headWidth;
      const [from, to, at] = [x.byteOffset, y.byteOffset, values.byteOffset];
      k[style === "norm" ? "rope_norm" : "rope_neox"](
        from,
        to,
        at,
        heads,
        headWidth,
        start,
        rotated,
        rows,
      );
      return y;
    },
  };
}
