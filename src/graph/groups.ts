/**
 * Weight groups: matrices that multiply the same value are read by one kernel, so they are placed
 * together.
 */
import type { Op } from "./ops.ts";

/**
 * The weights of the linear ops that read the same value, in op order (q·k·v, gate·up, an expert
 * stack's gate·up). A weight is in one group at most; single weights form none.
 */
export function weightGroups(ops: readonly Op[]): string[][] {
  const byInput = new Map<string, string[]>();
  const taken = new Set<string>();
  for (const op of ops) {
    if ((op.op !== "linear" && op.op !== "moeLinear") || taken.has(op.weight)) continue;
    taken.add(op.weight);
    const key = `${op.op} ${op.x}`;
    const group = byInput.get(key);
    if (group) group.push(op.weight);
    else byInput.set(key, [op.weight]);
  }
  return [...byInput.values()].filter((group) => group.length > 1);
}
