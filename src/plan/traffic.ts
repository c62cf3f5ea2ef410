/** The bytes that a decode step must read at the least, and those that its plan reads. Pure. */
import type { ModelFile } from "../file/types.ts";
import type { Graph } from "../graph/graph.ts";
import type { Traffic } from "../graph/instruments.ts";
import type { SlotLayout, StateLayout } from "../kernels/slot.ts";
import type { ModelPlan } from "./model-plan.ts";

/** @param positions rows in the cache, the step's own included */
export function decodeTraffic(
  graph: Graph,
  file: ModelFile,
  model: ModelPlan,
  positions: number,
): Traffic {
  let weights = 0;
  let cache = 0;
  const attended = new Map<string, number>();
  for (const op of graph.ops) {
    if (op.op === "linear") weights += part(file, op.weight, op.out);
    else if (op.op === "moeLinear") {
      const experts = file.tensors.get(op.weight)!.shape[2] ?? 1;
      weights += (part(file, op.weight, op.out) * op.used) / experts;
    } else if (op.op === "headLinear") weights += file.tensors.get(op.weight)!.bytes;
    else if (op.op === "embed") {
      const table = file.tensors.get(op.table)!;
      weights += table.bytes / (table.shape[1] ?? 1);
    } else if (op.op === "attention") {
      const rows = op.window > 0 ? Math.min(op.window, positions) : positions;
      cache += rowBytes(model.slots[op.slot]) * rows;
      attended.set(`${op.layer} ${op.name}`, rows);
    }
  }
  const [plan] = model.plans;
  const bySlab = new Map(model.slots.map((slot) => [slot.buffer, slot]));
  let planned = 0;
  for (const call of plan.calls) {
    planned += call.bytes;
    const rows = attended.get(`${call.layer} ${call.label}`) ?? 0;
    for (const { buffer } of call.bindings) {
      const slot = bySlab.get(buffer);
      if (slot) planned += rowBytes(slot) * rows;
    }
  }
  return { planned, weights, cache };
}

/** Bytes of `out` rows of a matrix, or of each of a stack. */
function part(file: ModelFile, name: string, out: number): number {
  const tensor = file.tensors.get(name)!;
  return (tensor.bytes * out) / (tensor.shape[1] ?? out);
}

const rowBytes = (slot: SlotLayout | StateLayout): number =>
  slot.kind === "kv" ? 4 * slot.rowWords : 0;
