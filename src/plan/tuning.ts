/** How kernels are shaped for a device: a small table by kind of adapter. */
import type { Capabilities } from "../platform/types.ts";
import type { Tuning } from "./plan.ts";

/**
 * Software adapters run a workgroup's threads one after the other and pay dearly for barriers, so a
 * thread makes whole outputs; real GPUs want neighbouring threads to read neighbouring words.
 *
 * int8: llvmpipe turns packed products into vector instructions and is 1.3 to 1.6 times as fast with one row,
 * 2 to 3 times with many; SwiftShader is as fast with floats. Of real GPUs none has been measured.
 */
export function tuningFor(capabilities: Capabilities): Tuning {
  const subgroup = capabilities.subgroups ? capabilities.subgroupMinSize : 0;
  const common = { threads: 64, subgroup, int8: /llvmpipe/i.test(capabilities.name) };
  if (capabilities.software) return { ...common, lanes: 1, outputs: 1, splits: 1 };
  return { ...common, lanes: 16, outputs: 2, splits: 16 };
}
