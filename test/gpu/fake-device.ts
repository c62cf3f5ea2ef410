/** A device that only remembers what it is told: for tests of what stands before the driver. */
import { WebggufError } from "../../src/base/errors.ts";
import type { ByteSource } from "../../src/base/source.ts";
import { quantByName } from "../../src/file/quants.ts";
import type { KernelCall } from "../../src/kernels/call.ts";
import { ALL_ROWS, read } from "../../src/kernels/call.ts";
import { embed } from "../../src/kernels/embed.ts";
import type { Gpu } from "../../src/platform/types.ts";

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
    lost: new Promise(() => {}),
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

/** What a device or a source may be waited for. */
export const WAITS = [
  "popErrorScope",
  "createComputePipelineAsync",
  "onSubmittedWorkDone",
  "mapAsync",
  "read",
] as const;

/** A GPU that computes nothing, and never answers one kind of question until it is let go on. */
export interface StuckGpu {
  readonly gpu: Gpu;
  /** Buffers made and not destroyed. */
  readonly live: ReadonlySet<GPUBuffer>;
  /** Calls of the device so far. */
  calls(): number;
  /** Resolves when it was asked what it does not answer. */
  readonly asked: Promise<void>;
  answerAtLast(): void;
  lose(): void;
  /** The same source, stuck where that is what is waited for. */
  source(source: ByteSource): ByteSource;
}

export function stuckGpu(stuck: (typeof WAITS)[number] | undefined): StuckGpu {
  const live = new Set<GPUBuffer>();
  let [calls, lost] = [0, false];
  let [ask, answer, lose] = [(): void => {}, (): void => {}, (_: GPUDeviceLostInfo): void => {}];
  const asked = new Promise<void>((resolve) => (ask = resolve));
  const late = new Promise<void>((resolve) => (answer = resolve));
  const losing = new Promise<GPUDeviceLostInfo>((resolve) => (lose = resolve));
  const reply = async <T>(what: (typeof WAITS)[number], value: T): Promise<T> => {
    if (what !== stuck) return value;
    ask();
    await late;
    return value;
  };
  const { device: fake } = fakeDevice();
  const made = {
    ...fake,
    lost: losing,
    createBuffer({ size }: GPUBufferDescriptor): GPUBuffer {
      calls++;
      const buffer = {
        size,
        destroy: () => live.delete(buffer),
        mapAsync: () => reply("mapAsync", undefined),
        unmap: () => calls++,
      } as unknown as GPUBuffer;
      live.add(buffer);
      return buffer;
    },
    pushErrorScope: () => calls++,
    popErrorScope: () => reply("popErrorScope", null),
    createComputePipelineAsync: () => {
      calls++;
      return reply("createComputePipelineAsync", {});
    },
    createCommandEncoder: () => ({ copyBufferToBuffer() {}, finish: () => calls++ }),
    queue: {
      writeBuffer: () => calls++,
      submit: () => calls++,
      onSubmittedWorkDone: () => reply("onSubmittedWorkDone", undefined),
    },
  };
  const capabilities = {
    ...{ name: "stuck", vendor: "", architecture: "", software: true },
    limits: { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 },
  };
  const gpu = {
    device: made as unknown as GPUDevice,
    capabilities: capabilities as unknown as Gpu["capabilities"],
    lost: losing.then(() => "lost"),
    check(): void {
      if (lost) throw new WebggufError("device/lost", "gone");
    },
    dispose() {},
  };
  return {
    gpu,
    live,
    asked,
    calls: () => calls,
    answerAtLast: () => answer(),
    lose() {
      lost = true;
      lose({ reason: "unknown", message: "gone" } as GPUDeviceLostInfo);
    },
    source: (source) => ({
      ...source,
      async *stream(...range) {
        await reply("read", undefined);
        yield* source.stream(...range);
      },
      read: async (...range) => reply("read", await source.read(...range)),
    }),
  };
}

/** A call of a kernel of which each type is a variant. */
export function callOf(type: "F32" | "F16"): KernelCall {
  const out = { buffer: "out", offset: 0, stride: 64, width: 64, domain: ALL_ROWS } as const;
  return embed({
    ...{ type: quantByName(type)!, weights: read("weights"), base: 0, first: 0, rows: 9 },
    ...{ by: "token", offset: 0, out, contextLength: 8, label: type },
  });
}
