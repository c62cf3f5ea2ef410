/** Where a model is computed: on the device asked for, or wherever a short measurement says. */
import { platform } from "#platform";
import { WebggufError } from "../base/errors.ts";
import type { ModelFile } from "../file/types.ts";
import type { InstrumentMaker } from "../gpu/instruments.ts";
import type { Executor } from "../graph/executor.ts";
import type { Graph } from "../graph/graph.ts";
import { adapterName, backends, type Device, type ExecutorOptions } from "./backends.ts";
import { secondsPerToken } from "./probe.ts";
import { scheduled } from "./scheduler.ts";
import type { LoadOptions, Model } from "./types.ts";

/** An executor with the device under it. */
export interface Opened {
  readonly executor: Executor;
  readonly device: Model["device"];
  /** What `device` must say to come here again without another measurement. */
  readonly chosen: string;
  dispose(): Promise<void>;
}

/** Slower than this, a notice says so before the weights are loaded. */
const SLOW_SECONDS = 1;

/** Opens a device as `options.device` says and loads the graph's weights into it. */
export async function openExecutor(
  graph: Graph,
  file: ModelFile,
  options: ExecutorOptions,
): Promise<Opened> {
  let device = await openDevice(options);
  if (device.software && (options.device ?? "auto") === "auto")
    device = await fastest(device, graph, file, options);
  return loadOn(device, graph, file, options);
}

/** Opens the device that `options.device` names; `auto` takes the first there is, with a notice about those that are not. */
export async function openDevice(
  { device, onNotice }: Pick<LoadOptions, "device" | "onNotice">,
  instruments?: InstrumentMaker,
): Promise<Device> {
  if (device !== undefined && device !== "auto") {
    const [first] = backends;
    const backend = backends.find(({ name }) => name === device) ?? first;
    return backend.open(adapterName(device), instruments);
  }
  for (const backend of backends) {
    try {
      return await backend.open(undefined, instruments);
    } catch (error) {
      const none = error instanceof WebggufError && error.code === "device/no-adapter";
      if (!none || backend === backends.at(-1)) throw error;
      onNotice?.(`Computing on the CPU: ${error.message}`);
    }
  }
  throw new Error("no backends");
}

/** Loads a model on a device, which is disposed of with it, and if loading fails. */
export async function loadOn(
  device: Device,
  graph: Graph,
  file: ModelFile,
  options: ExecutorOptions,
): Promise<Opened> {
  try {
    if (device.notice) options.onNotice?.(device.notice);
    await checkFits(device, graph, file, options);
    const executor = scheduled(await device.load(graph, file, options, options));
    const { kind, name, software } = device;
    const wanted = options.device ?? "auto";
    return {
      executor,
      // The CPU path's tells the number of threads, which is known only now.
      device: { kind, name: kind === "cpu" ? executor.adapter : name, software },
      chosen: wanted === "auto" ? kind : wanted,
      async dispose() {
        await executor.dispose();
        device.dispose();
      },
    };
  } catch (error) {
    device.dispose();
    throw error;
  }
}

/** Bytes that a device can take, where that is known: WebGPU does not tell of a real GPU's. */
export async function memoryOf(device: Pick<Device, "kind" | "software">): Promise<number> {
  const own = device.kind === "cpu" || device.software;
  return (own && (await platform.memory())) || Number.POSITIVE_INFINITY;
}

/** Refuses a model that this machine cannot hold, before its bytes are read. */
async function checkFits(
  device: Device,
  graph: Graph,
  file: ModelFile,
  options: ExecutorOptions,
): Promise<void> {
  const expected = await memoryOf(device);
  if (expected === Number.POSITIVE_INFINITY) return;
  const { weights, cache, arena } = device.needs(graph, file, options);
  const actual = weights + cache + arena;
  if (actual <= expected) return;
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
  throw new WebggufError(
    "device/out-of-memory",
    `Cannot load ${file.name}: it needs ${gib(actual)} (weights ${gib(weights)}, cache ${gib(cache)}), and this ` +
      `machine has ${gib(expected)}; use a smaller model or type, or a smaller contextLength`,
    { file: file.name, expected, actual },
  );
}

/** A real GPU is taken as it is; software emulation only if it measures faster than what comes after it. */
export async function fastest(
  first: Device,
  graph: Graph,
  file: ModelFile,
  { signal, onNotice }: ExecutorOptions,
): Promise<Device> {
  const devices = [first];
  let chosen: Device | undefined;
  try {
    const after = backends.findIndex(({ name }) => name === first.kind) + 1;
    for (const backend of backends.slice(after)) devices.push(await backend.open());
    const seconds = await secondsPerToken(devices, graph, file, signal);
    const least = Math.min(...seconds);
    if (least > SLOW_SECONDS)
      onNotice?.(
        `This machine has no GPU driver: expect about ${least.toPrecision(2)} seconds per token for this model`,
      );
    chosen = devices[seconds.indexOf(least)];
    return chosen;
  } finally {
    for (const device of devices) if (device !== chosen) device.dispose();
  }
}
