/** Lowering of mixture-of-experts ops. */
import { WebggufError } from "../base/errors.ts";
import type { Op, Ref } from "../graph/ops.ts";
import type { Lowering } from "./plan.ts";

type MoeOp = Extract<Op, { op: "moeRoute" | "moeLinear" | "moeSum" | "moeScale" }>;

export function lowerMoe(_plan: Lowering, _ref: Ref, op: MoeOp): void {
  throw new WebggufError("model/unsupported", `The GPU path has no ${op.op} yet; use --device cpu`);
}
