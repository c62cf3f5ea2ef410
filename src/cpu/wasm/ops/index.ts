/** The ops that WebAssembly computes; what a kernel does not take is computed in plain TypeScript on the same memory. */
import type { RopeTable } from "../../../graph/ops.ts";
import type { ModuleBuilder } from "../../../wasm/assembler.ts";
import type { CpuOps } from "../../ops/context.ts";
import { plainOps } from "../../ops/index.ts";
import type { Room } from "../kernels.ts";
import type { Places } from "../place.ts";
import type { Rare } from "../rare.ts";
import { attentionOps, defineAttention } from "./attention.ts";
import { defineElementwise, elementwiseOps } from "./elementwise.ts";
import { layoutOps } from "./layout.ts";
import { linearOps } from "./linear.ts";
import { defineNorms, normOps } from "./norm.ts";
import { defineRope, ropeOps } from "./rope.ts";

export function defineOps(module: ModuleBuilder): void {
  defineAttention(module);
  defineElementwise(module);
  defineNorms(module);
  defineRope(module);
}

export function wasmOps(
  rooms: readonly Room[],
  { scratch }: Places,
  angles: ReadonlyMap<RopeTable, Float32Array>,
  rare?: Rare,
): CpuOps {
  const [{ kernels }] = rooms;
  return {
    ...plainOps,
    ...attentionOps(rooms, plainOps, scratch),
    ...elementwiseOps(kernels, plainOps),
    ...layoutOps(kernels),
    ...linearOps(rooms, plainOps),
    ...normOps(kernels, plainOps),
    ...rare?.ops(rooms[0], plainOps),
    ...ropeOps(kernels, plainOps, angles),
  };
}
