/** How kernels are shaped for a device: small tables by kind of adapter, and by vendor and architecture. */
import type { Capabilities } from "../platform/types.ts";
import type { Tuning } from "./tuning-types.ts";

/** What `adapter.info` calls the vendors; wgpu gives the numbers of PCI. */
const vendors: Readonly<Record<string, string>> = {
  "4098": "amd",
  "4203": "apple",
  "4318": "nvidia",
  "32902": "intel",
};

/**
 * What GPUs of a vendor have of their own, the first that fits; from the tables of bench:isa, not measured on hardware.
 *
 * Where there is an instruction for products of four bytes (AMD from RDNA 2 on, NVIDIA from Pascal on), int8 needs 0.6 times
 * the instructions in prefill and a half with eight rows; Apple has none, and needs twice as many, with 200 registers
 * spilled. There, rows in two halves keep the mat-vec of eight rows in registers.
 */
const real: readonly (readonly [vendor: string, architecture: RegExp, own: Partial<Tuning>])[] = [
  ["nvidia", /^(?!kepler|maxwell)/, { int8: true }],
  ["amd", /^rdna-?[2-9]/, { int8: true }],
  ["apple", /^/, { batchWeightRows: 2 }],
];

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
  const { software, f16, subgroups, subgroupMinSize, packedDot, architecture } = capabilities;
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
  // Some runtimes name the vendor in the adapter's name alone.
  const named = /apple/i.test(capabilities.name) ? "apple" : capabilities.vendor.toLowerCase();
  const vendor = vendors[named] ?? named;
  const [, , own] = real.find(([name, which]) => name === vendor && which.test(architecture)) ?? [];
  return {
    ...common,
    ...{ lanes: 8, weightRows: 4, tile: 64, splits: 16, positions: 1 },
    ...own,
    // Without the language's packed products the instruction is out of reach.
    int8: packedDot && own?.int8 === true,
  };
}
