/** How kernels are shaped for a device: a small table by kind of adapter. */
import type { Capabilities } from "../platform/types.ts";
import type { Tuning } from "./plan.ts";

/**
 * Software adapters run a workgroup's threads one after the other and pay dearly for barriers, so a
 * thread makes whole outputs; real GPUs want neighbouring threads to read neighbouring words.
 */
export function tuningFor(capabilities: Capabilities): Tuning {
  const subgroup = capabilities.subgroups ? capabilities.subgroupMinSize : 0;
  const common = { threads: 64, subgroup, int8: false };
  if (capabilities.software) return { ...common, lanes: 1, outputs: 1, splits: 1 };
  return { ...common, lanes: 16, outputs: 2, splits: 16 };
}
