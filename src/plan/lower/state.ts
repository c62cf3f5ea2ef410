/** Lowering of ops that carry state from row to row. */
import { WebggufError } from "../../base/errors.ts";
import type { Op, Ref } from "../../graph/ops.ts";
import type { Lowering } from "../plan.ts";

type StateOp = Extract<Op, { op: "conv" | "ssm" | "deltaNet" | "shift" | "wkv7" }>;

export function lowerState(_plan: Lowering, _ref: Ref, op: StateOp): void {
  throw new WebggufError("model/unsupported", `The GPU path has no ${op.op} yet; use --device cpu`);
}
