/** How kernels are shaped for a device: a small table by kind of adapter. */
import type { Capabilities } from "../platform/types.ts";
import type { Tuning } from "./tuning-types.ts";

/**
 * Software adapters run a workgroup's threads as the lanes of vector instructions, and barriers cost them much, so
 * each thread makes whole outputs; real GPUs want neighbouring threads to read neighbouring words. Of these, 8 share a row of
 * the weights and the others of a subgroup read the same of x, whose cache lines are then looked up a quarter as often as with
 * 32 (npm run bench:isa).
 *
 * On llvmpipe each load is a slow gather: a norm of its own makes decoding 1.4 times as fast, and int8 activations,
 * a quarter of the loads, 1.3 to 2 times with one row. SwiftShader is as fast with floats. Of real GPUs none has
 * been measured.
 */
export function tuningFor(capabilities: Capabilities): Tuning {
  const { software, f16, subgroups, subgroupMinSize } = capabilities;
  // Browsers hide its name; SwiftShader has no halves.
  const llvmpipe = software && f16;
  const common = {
    threads: 64,
    batchWeightRows: 4,
    unroll: !software,
    subgroup: subgroups ? subgroupMinSize : 0,
    int8: llvmpipe,
    fuseNorm: !llvmpipe,
    fuseStore: true,
  };
  if (software)
    return { ...common, lanes: 1, weightRows: llvmpipe ? 2 : 4, tile: 32, splits: 1, positions: 4 };
  return { ...common, lanes: 8, weightRows: 4, tile: 64, splits: 16, positions: 1 };
}
