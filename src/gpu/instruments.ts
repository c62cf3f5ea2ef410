/** What benchmarks can ask of a GPU; the engine itself does not import it. */
import { WebggufError } from "../base/errors.ts";
import type { ModelFile } from "../file/types.ts";
import type { Graph } from "../graph/graph.ts";
import type { DeviceInstruments, Instruments } from "../graph/instruments.ts";
import { PAGE } from "../plan/cache-layout.ts";
import { noiseRows } from "../plan/noise.ts";
import { decodeTraffic } from "../plan/traffic.ts";
import { countCalls, timeSubmits } from "../platform/counters.ts";
import type { Gpu } from "../platform/types.ts";
import { copyBandwidth } from "./bandwidth.ts";
import type { GpuExecutor } from "./executor.ts";
import { profileDecode } from "./profile.ts";

/** What the instruments of a loaded model look into. */
export interface GpuParts {
  readonly gpu: Gpu;
  readonly graph: Graph;
  readonly file: ModelFile;
  readonly executor: GpuExecutor;
  readonly named: ReadonlyMap<string, GPUBuffer>;
}

/** Makes the instruments of a device, and those of a model on it. */
export interface InstrumentMaker {
  device(gpu: Gpu): DeviceInstruments;
  executor(parts: GpuParts): Instruments;
}

export const gpuInstruments: InstrumentMaker = {
  device: (gpu) => ({
    capabilities: gpu.capabilities,
    copyBandwidth: () => copyBandwidth(gpu),
    async countCalls(work) {
      const counter = countCalls(gpu.device);
      try {
        await work();
        return counter.counts();
      } finally {
        counter.stop();
      }
    },
    async timeSubmits(work) {
      const clock = timeSubmits(gpu.device);
      try {
        await work();
        return clock.spans();
      } finally {
        clock.stop();
      }
    },
  }),
  executor: ({ gpu, graph, file, executor, named }) => ({
    fill: cacheFiller(gpu, executor, named),
    memory: () => byOwner(executor.buffers.byLabel()),
    plan: {
      pipelines: executor.pipelineCount,
      traffic: (positions) => decodeTraffic(graph, file, executor.model, positions),
      profile: (sequence, steps) => profileDecode(gpu, executor, sequence, steps),
    },
  }),
};

/** Writes noise into all pages once; after that, rows only have to be counted. */
function cacheFiller(
  gpu: Gpu,
  executor: GpuExecutor,
  named: ReadonlyMap<string, GPUBuffer>,
): Instruments["fill"] {
  const { queue } = gpu.device;
  let written = false;
  return async (sequence, count) => {
    for (let other = 0; other < executor.maxSequences; other++)
      if (other !== sequence && executor.length(other) > 0)
        throw new WebggufError("input/invalid", `Cannot fill the cache: sequence ${other} uses it`);
    executor.append(sequence, count);
    if (!written)
      for (const slot of executor.model.slots) {
        if (slot.kind !== "kv") continue;
        const noise = noiseRows(slot, PAGE);
        for (let at = 0; at < slot.bytes; at += noise.byteLength)
          queue.writeBuffer(named.get(slot.buffer)!, at, noise);
      }
    written = true;
    await queue.onSubmittedWorkDone();
    gpu.check();
  };
}

/** Buffers of one kind ("cache:3", "cache:4" …) together. */
function byOwner(labels: ReadonlyMap<string, number>): Record<string, number> {
  const owners: Record<string, number> = {};
  for (const [label, bytes] of labels) {
    const owner = label.split(":", 1)[0];
    owners[owner] = (owners[owner] ?? 0) + bytes;
  }
  return owners;
}
