/** How fast a plain copy kernel moves bytes on a device: the speed that other kernels are compared with. */
import { ALL_ROWS } from "../kernels/call.ts";
import { copy } from "../kernels/copy.ts";
import type { Plan } from "../plan/plan.ts";
import { encodeStep, slotBytes } from "../plan/steps.ts";
import { Buffers, BufferUsage } from "../platform/buffers.ts";
import type { Gpu } from "../platform/types.ts";
import { Pipelines } from "./pipelines.ts";
import { Replay } from "./replay.ts";

/** Rows of a copy, and its floats: eight times 16 MiB is just below what every device can bind. */
const ROWS = 8;
const WIDTH = 64 * 65535;
/** For software adapters, which have few threads; still larger than their caches. */
const SOFTWARE_WIDTH = WIDTH / 5;
const MEASURE_MS = 60;

/** Bytes a second, read and written bytes counted; the best of three runs. Allocates 256 MiB meanwhile. */
export async function copyBandwidth(gpu: Gpu): Promise<number> {
  const { device } = gpu;
  const width = gpu.capabilities.software ? SOFTWARE_WIDTH : WIDTH;
  const place = { offset: 0, stride: width, width, domain: ALL_ROWS } as const;
  const call = copy({
    ...{ x: { ...place, buffer: "from" }, out: { ...place, buffer: "to" }, width, groups: 1 },
    ...{ from: 0, fromRun: 0, to: 0, toRun: 0, select: false, label: "copy", layer: -1 },
  });
  const plan: Plan = {
    rowClass: { rows: ROWS, outputs: ROWS },
    calls: [call],
    bodyLength: 1,
    outputLength: 1,
    sampling: [],
    arena: [],
    output: { ...place, buffer: "to" },
  };
  const buffers = new Buffers(gpu);
  try {
    const { storage, copyTarget } = BufferUsage;
    const bytes = 4 * ROWS * width;
    const named = new Map<string, GPUBuffer>();
    for (const [name, size] of [
      ["from", bytes],
      ["to", bytes],
      ["step", slotBytes(ROWS)],
      ["pages", 4],
    ] as const)
      named.set(name, buffers.allocate(name, size, storage | copyTarget));
    await buffers.settled();
    const words = new Uint32Array(slotBytes(ROWS) / 4);
    const row = { sequence: 0, token: 0, end: 1, output: false };
    encodeStep(
      words,
      0,
      Array.from({ length: ROWS }, (_, position) => ({ ...row, position })),
      0,
    );
    device.queue.writeBuffer(named.get("step")!, 0, words);
    const pipelines = Pipelines.of(device);
    await pipelines.compile([call]);
    const replay = new Replay(plan, device, buffers, pipelines, named);
    const step = pipelines.stepGroup(named.get("step")!, slotBytes(ROWS), named.get("pages")!);
    const seconds = async (times: number): Promise<number> => {
      const start = performance.now();
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setBindGroup(0, step, [0]);
      const copy = { end: 1, sampling: "greedy", rows: { length: ROWS }, outputs: ROWS } as const;
      for (let i = 0; i < times; i++) replay.encode(pass, copy);
      pass.end();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      return (performance.now() - start) / 1000;
    };
    await seconds(1);
    let times = 1;
    while ((await seconds(times)) < MEASURE_MS / 1000 && times < 4096) times *= 2;
    const best = Math.min(await seconds(times), await seconds(times), await seconds(times));
    gpu.check();
    return (2 * bytes * times) / best;
  } finally {
    buffers.disposeAll();
  }
}
