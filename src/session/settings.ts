import type { GpuExecutorOptions } from "../gpu/executor.ts";
import type { CacheTypeName } from "../kernels/slot.ts";
import type { LoadOptions } from "./types.ts";

/** Load options with everything decided but the device's own choices. */
export interface ExecutorOptions extends LoadOptions {
  readonly contextLength: number;
}

/** The CPU path keeps no quantised cache; f16 is the nearest that it has. */
export const plainCache = (type: CacheTypeName): "f32" | "f16" => (type === "f32" ? "f32" : "f16");

/** The options that executors take, with the defaults filled in. */
export const decided = (options: ExecutorOptions, adapter = ""): GpuExecutorOptions => ({
  contextLength: options.contextLength,
  maxSequences: options.maxSequences ?? 1,
  cacheTypeK: options.cacheTypeK ?? "f16",
  cacheTypeV: options.cacheTypeV ?? "f16",
  chunk: options.chunk,
  stepsInFlight: options.stepsInFlight,
  int8: options.int8,
  noFuse: options.noFuse,
  tuning: options.tuning?.find((one) => one.adapter === adapter),
});
