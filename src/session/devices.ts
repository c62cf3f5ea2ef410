/** What this machine and runtime offer: for `webgguf devices` and for pages that want to say so. */
import { platform } from "#platform";
import { WebggufError } from "../base/errors.ts";
import { text } from "../base/options.ts";
import type { Capabilities } from "../platform/capabilities.ts";

export interface DeviceReport {
  /** Runtime and version, WASM SIMD, SharedArrayBuffer, memory, storage: what is known. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** Names that `device` can be set to. */
  readonly adapters: readonly string[];
  /** The adapter that would be used. */
  readonly gpu?: Capabilities;
  /** The CPU path that there is here: "CPU (WebAssembly SIMD), up to 4 threads". */
  readonly cpu: string;
  /** What the engine will use, and why. */
  readonly verdict: string;
}

/** Looks for an adapter (one whose name contains `name`, if given) and describes what is there. */
export async function devices(name?: string): Promise<DeviceReport> {
  if (name !== undefined) text(name, "name");
  const facts = await platform.facts();
  const adapters = await platform.listAdapters();
  const { openCpu } = await import("../cpu/open.ts");
  const { name: path, threads } = await openCpu();
  const cpu = threads > 1 ? `${path}, up to ${threads} threads` : path;
  const wanted = name === undefined || ["auto", "gpu", "cpu"].includes(name) ? undefined : name;
  try {
    const gpu = await platform.openGpu(wanted === undefined ? {} : { name: wanted });
    gpu.dispose();
    const { capabilities } = gpu;
    const verdict = capabilities.software
      ? `${capabilities.name} is software emulation: a short measurement at load decides between it and the CPU path`
      : `${capabilities.name} will be used`;
    return { facts, adapters, gpu: capabilities, cpu, verdict };
  } catch (error) {
    if (!(error instanceof WebggufError) || error.code !== "device/no-adapter") throw error;
    return { facts, adapters, cpu, verdict: `The CPU path will be used: ${error.message}` };
  }
}
