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
  const { software, name } = capabilities;
  const llvmpipe = /llvmpipe/i.test(name);
  const common = {
    threads: 64,
    subgroup: capabilities.subgroups ? capabilities.subgroupMinSize : 0,
    int8: llvmpipe,
  };
  if (software) return { ...common, lanes: 1, tile: 32, splits: 1 };
  return { ...common, lanes: 32, tile: 64, splits: 16 };
}
