/** A device that only remembers what it is told: for tests of what stands before the driver. */
import { quantByName } from "../../src/file/quants.ts";
import type { KernelCall } from "../../src/kernels/call.ts";
import { ALL_ROWS, read } from "../../src/kernels/call.ts";
import { embed } from "../../src/kernels/embed.ts";

/** What its pipelines are compiled by, counted. */
export interface FakeDevice {
  readonly device: GPUDevice;
  compiled(): number;
}

/** Compiles whatever `compile` resolves for. */
export function fakeDevice(compile: () => Promise<unknown> = async () => ({})): FakeDevice {
  const made = (): object => ({});
  let count = 0;
  const device = {
    createBindGroupLayout: made,
    createBindGroup: made,
    createPipelineLayout: made,
    createShaderModule: () => ({ getCompilationInfo: async () => ({ messages: [] }) }),
    createComputePipelineAsync() {
      count++;
      return compile();
    },
    queue: { writeBuffer() {} },
  };
  return { device: device as unknown as GPUDevice, compiled: () => count };
}

/** A call of a kernel of which each type is a variant. */
export function callOf(type: "F32" | "F16"): KernelCall {
  const out = { buffer: "out", offset: 0, stride: 64, width: 64, domain: ALL_ROWS } as const;
  return embed({
    ...{ type: quantByName(type)!, weights: read("weights"), base: 0, first: 0, rows: 9 },
    ...{ by: "token", offset: 0, out, contextLength: 8, label: type },
  });
}
