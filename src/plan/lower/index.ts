/** How each op of a plan becomes kernel calls; an op without an entry does not compile. */
import type { Ref } from "../../graph/ops.ts";
import type { PlanOp, PlanOpOf } from "../fuse/ops.ts";
import { lowerAttention, lowerRopeStore } from "./attention.ts";
import { lowerConcat, lowerSelect, lowerSlice } from "./copies.ts";
import { lowerElementwise } from "./elementwise.ts";
import { lowerFusedLinear } from "./linear.ts";
import type { Lowering } from "./lowering.ts";
import { lowerMoe } from "./moe.ts";
import { lowerDot, lowerEmbed, lowerNorm, lowerRope } from "./rows.ts";
import { lowerState } from "./state.ts";

/** Adds the calls that make the value `ref`. */
type Lower<K extends PlanOp["op"]> = (plan: Lowering, ref: Ref, op: PlanOpOf<K>) => void;

const lowerings: { readonly [K in PlanOp["op"]]: Lower<K> } = {
  embed: lowerEmbed,
  rmsNorm: lowerNorm,
  layerNorm: lowerNorm,
  l2Norm: lowerNorm,
  fusedLinear: lowerFusedLinear,
  dot: lowerDot,
  add: lowerElementwise,
  mul: lowerElementwise,
  addWeight: lowerElementwise,
  mulWeight: lowerElementwise,
  scale: lowerElementwise,
  clamp: lowerElementwise,
  activation: lowerElementwise,
  gated: lowerElementwise,
  softcap: lowerElementwise,
  positionScale: lowerElementwise,
  rope: lowerRope,
  ropeStore: lowerRopeStore,
  attention: lowerAttention,
  slice: lowerSlice,
  concat: lowerConcat,
  select: lowerSelect,
  moeRoute: lowerMoe,
  expertLists: lowerMoe,
  experts: lowerMoe,
  moeSum: lowerMoe,
  moeScale: lowerMoe,
  conv: lowerState,
  ssm: lowerState,
  deltaNet: lowerState,
  shift: lowerState,
  wkv7: lowerState,
};

export function lower(plan: Lowering, ref: Ref, op: PlanOp): void {
  const entry = lowerings[op.op] as Lower<PlanOp["op"]>;
  entry(plan, ref, op);
}
