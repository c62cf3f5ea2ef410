/** How each op of a plan becomes kernel calls; an op without an entry does not compile. */
import type { Ref } from "../../graph/ops.ts";
import type { PlanOp } from "../fuse/ops.ts";
import { attentionLowerings } from "./attention.ts";
import { copiesLowerings } from "./copies.ts";
import { elementwiseLowerings } from "./elementwise.ts";
import { linearLowerings } from "./linear.ts";
import type { Lower, Lowering, LoweringsOf } from "./lowering.ts";
import { moeLowerings } from "./moe.ts";
import { rowsLowerings } from "./rows.ts";
import { stateLowerings } from "./state.ts";

const lowerings: LoweringsOf<PlanOp["op"]> = {
  ...rowsLowerings,
  ...linearLowerings,
  ...elementwiseLowerings,
  ...attentionLowerings,
  ...copiesLowerings,
  ...moeLowerings,
  ...stateLowerings,
};

export function lower(plan: Lowering, ref: Ref, op: PlanOp): void {
  const entry = lowerings[op.op] as Lower<PlanOp["op"]>;
  entry(plan, ref, op);
}
