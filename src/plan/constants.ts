/** What a graph needs besides its tensors and is computed once on the host: rope angles and ALiBi slopes. */
import { alibiSlope } from "../graph/alibi.ts";
import type { Graph } from "../graph/graph.ts";
import type { RopeTable } from "../graph/ops.ts";

export interface Constants {
  /** Distinct rope tables with the first (cos, sin) pair of each in the angles buffer. */
  readonly tables: readonly { readonly table: RopeTable; readonly offset: number }[];
  /** Pairs in all. */
  readonly anglesLength: number;
  /** Floats that follow the tensors in the small buffer. */
  readonly slopes: Float32Array;
  angles(table: RopeTable): number;
  /** f32 index in the small buffer. */
  alibi(heads: number, maxBias: number): number;
}

export function collectConstants(
  graph: Graph,
  contextLength: number,
  smallLength: number,
): Constants {
  const offsets = new Map<string, number>();
  const tables: { table: RopeTable; offset: number }[] = [];
  let anglesLength = 0;
  const alibi = new Map<string, number>();
  const slopes: number[] = [];
  for (const op of graph.ops) {
    if (op.op === "rope") {
      const key = JSON.stringify(op.table);
      if (offsets.has(key)) continue;
      offsets.set(key, anglesLength);
      tables.push({ table: op.table, offset: anglesLength });
      anglesLength += contextLength * (op.table.rotated / 2);
    } else if (op.op === "attention" && op.alibi > 0) {
      const key = `${op.heads} ${op.alibi}`;
      if (alibi.has(key)) continue;
      alibi.set(key, smallLength + slopes.length);
      for (let head = 0; head < op.heads; head++) slopes.push(alibiSlope(head, op.heads, op.alibi));
    }
  }
  return {
    tables,
    anglesLength,
    slopes: Float32Array.from(slopes),
    angles: (table) => offsets.get(JSON.stringify(table))!,
    alibi: (heads, maxBias) => alibi.get(`${heads} ${maxBias}`)!,
  };
}
