/** Products with matrices: of rows, of heads with their own. */
import type { Product } from "../../matrix.ts";
import type { CpuOps, OpContext } from "../../ops/context.ts";
import type { Room } from "../kernels.ts";
import type { WasmMatrix } from "../matrix.ts";
import { productsAtOnce, rowsAtOnce } from "../place.ts";

async function paced(
  weight: WasmMatrix,
  x: Float32Array,
  rows: number,
  product: Product,
  columns: number,
  y: Float32Array,
  c: OpContext,
): Promise<Float32Array> {
  for (let from = 0; from < product.to; from += columns) {
    const to = Math.min(product.to, from + columns);
    weight.multiply(x, rows, { ...product, from, to }, y);
    await c.rest();
  }
  return y;
}

export function linearOps(rooms: readonly Room[], plain: CpuOps): Partial<CpuOps> {
  const [{ kernels: k, x: gathered, y: made }] = rooms;
  return {
    linear: (op, c) => {
      const weight = c.weights.matrix(op.weight) as WasmMatrix;
      const x = c.value(op.x);
      const { first, out } = op;
      const rows = x.length / weight.width;
      const y = c.make(rows * out);
      const [bias, scale] = [c.weights.optional(op.bias), c.weights.optional(op.scale)?.[0]];
      const product = { first, out, from: 0, to: out, bias, scale };
      const columns = Math.max(1, Math.floor((c.products * weight.haste) / (rows * weight.width)));
      if (columns < out) return paced(weight, x, rows, product, columns, y, c);
      weight.multiply(x, rows, product, y);
      return y;
    },
    headLinear: (op, c) => {
      const weight = c.weights.matrix(op.weight) as WasmMatrix;
      const { heads, out } = op;
      const x = c.value(op.x);
      const bytes = 4 * weight.width;
      const rows = x.length / (heads * weight.width);
      if (out > productsAtOnce) return plain.headLinear(op, c);
      const y = c.make(rows * heads * out);
      const most = Math.min(rowsAtOnce, Math.floor(productsAtOnce / out));
      for (let head = 0; head < heads; head++) {
        const product = { first: head * out, out, from: 0, to: out };
        for (let row = 0; row < rows; row += most) {
          const count = Math.min(most, rows - row);
          const from = x.byteOffset + bytes * (row * heads + head);
          const to = y.byteOffset + 4 * out * (row * heads + head);
          // A head's runs side by side, so that its matrix is read once for all of them.
          if (count === 1) weight.multiplyAt(from, 1, product, to);
          else {
            k["move"](gathered.byteOffset, from, bytes, count, bytes, bytes * heads);
            weight.multiplyAt(gathered.byteOffset, count, product, made.byteOffset);
            k["move"](to, made.byteOffset, 4 * out, count, 4 * out * heads, 4 * out);
          }
        }
      }
      return y;
    },
  };
}
