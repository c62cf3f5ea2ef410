/** Which tensors an op reads. */
import type { Op } from "./ops.ts";

/** Names of all tensors that the op mentions, weights first. */
export function tensorsOf(op: Op): string[] {
  const names: (string | undefined)[] = [];
  switch (op.op) {
    case "embed":
      names.push(op.table);
      break;
    case "rmsNorm":
    case "headLinear":
    case "addWeight":
    case "mulWeight":
      names.push(op.weight);
      break;
    case "layerNorm":
    case "conv":
      names.push(op.weight, op.bias);
      break;
    case "linear":
    case "moeLinear":
      names.push(op.weight, op.bias, op.scale);
      break;
    case "rope":
      names.push(op.table.factors);
      break;
    case "attention":
      names.push(op.sinks);
      break;
    case "moeRoute":
      names.push(op.selectionBias);
      break;
    case "ssm":
      names.push(op.a, op.d, op.dtBias);
      break;
  }
  return names.filter((name) => name !== undefined);
}
