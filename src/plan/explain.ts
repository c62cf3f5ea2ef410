/** A plan as a table, like a database's EXPLAIN: what a step does, in order. */

import type { Grid } from "../kernels/call.ts";
import { OUTPUT_ROWS } from "../kernels/call.ts";
import type { Plan } from "./plan.ts";

/** One dispatch. */
export interface ExplainRow {
  readonly step: number;
  /** -1 outside the layers. */
  readonly layer: number;
  /** The ops it computes. */
  readonly op: string;
  /** wgsl/<kernel>.wgsl. */
  readonly kernel: string;
  /** Tensor type and options that make this variant. */
  readonly variant: string;
  /** Workgroups for a full step of the plan's rows. */
  readonly grid: readonly [number, number, number];
  /** Bytes of weights and cache that it reads at the most. */
  readonly bytes: number;
  /** Part of all bytes of the plan, 0 to 1. */
  readonly share: number;
}

/** The dispatches of a plan, greedy sampling included. */
export function explainPlan(plan: Plan): ExplainRow[] {
  const total = plan.calls.reduce((sum, call) => sum + call.bytes, 0) || 1;
  return plan.calls.map((call, step) => ({
    step,
    layer: call.layer,
    op: call.label,
    kernel: call.kernel,
    variant: call.variant,
    grid: fullGrid(call.grid, plan),
    bytes: call.bytes,
    share: call.bytes / total,
  }));
}

function fullGrid(grid: Grid, plan: Plan): [number, number, number] {
  const size: [number, number, number] = [grid.x, grid.y, grid.z];
  if (grid.rows !== undefined) {
    const rows = grid.domain === OUTPUT_ROWS ? plan.rowClass.outputs : plan.rowClass.rows;
    size["xyz".indexOf(grid.rows)] = Math.ceil(rows / grid.tile);
  }
  return size;
}
