/** What a runtime offers the engine; `#platform` resolves to deno.ts, node.ts or browser.ts, each exporting `platform`. */
import type { ByteSource } from "../base/source.ts";
import type { Capabilities } from "./capabilities.ts";

export type { Capabilities } from "./capabilities.ts";

export interface AdapterOptions {
  /** Part of an adapter's name, when the user asked for one; letter case does not matter. */
  name?: string;
}

/** An open device. `lost` and errors are typed; every buffer is made through buffers.ts. */
export interface Gpu {
  readonly device: GPUDevice;
  readonly capabilities: Capabilities;
  /** Resolves with a reason when the device goes away, also through `dispose`. */
  readonly lost: Promise<string>;
  /** Throws `device/lost` when the device is gone, else the first uncaptured error since the last call. */
  check(): void;
  /** Destroys the device and with it all buffers. Safe to call twice. */
  dispose(): void;
}

export interface Platform {
  readonly runtime: "node" | "deno" | "browser";
  /** A device with the best limits and features of the best adapter; `device/no-adapter` says why not and what to install. */
  openGpu(options?: AdapterOptions): Promise<Gpu>;
  /** Names of the adapters that `openGpu` can be asked for; empty where there is none. */
  listAdapters(): Promise<readonly string[]>;
  /** Opens a local path; browsers throw `input/invalid`. */
  openFile(path: string): Promise<ByteSource>;
  /** fetch with ranges in mind (undici in Node). */
  readonly fetch: typeof fetch;
  /** Bytes of memory that this machine, or what limits this process, has; undefined where the runtime does not tell. */
  memory(): Promise<number | undefined>;
  /** Facts for `webgguf devices`: runtime and version, WASM SIMD, SharedArrayBuffer, memory, storage quota where known. */
  facts(): Promise<Readonly<Record<string, string | number | boolean>>>;
}
