/** What a runtime offers the engine; `#platform` resolves to deno.ts, node.ts or browser.ts, each exporting `platform`. */
import type { ByteSource } from "../base/source.ts";

export interface AdapterOptions {
  /** Part of an adapter's name, when the user asked for one. */
  name?: string;
}

/** What was found and what the engine will use: one record, made once. */
export interface Capabilities {
  /** For people: "NVIDIA H200", "SwiftShader driver 5.0.0". */
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** A CPU pretending to be a GPU. */
  readonly software: boolean;
  readonly f16: boolean;
  readonly subgroups: boolean;
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  /** dot4I8Packed in the language. */
  readonly packedDot: boolean;
  readonly timestamps: boolean;
  readonly limits: Readonly<Record<string, number>>;
  readonly features: readonly string[];
}

/** An open device. `lost` and errors are typed; every buffer is made through buffers.ts. */
export interface Gpu {
  readonly device: GPUDevice;
  readonly capabilities: Capabilities;
  /** Resolves with a reason when the device goes away, also through `dispose`. */
  readonly lost: Promise<string>;
  /** Throws the first uncaptured error, if any came. */
  check(): void;
  dispose(): void;
}

export interface Platform {
  readonly runtime: "node" | "deno" | "browser";
  /** A device with the best limits and features of the best adapter; `device/no-adapter` says why not and what to install. */
  openGpu(options?: AdapterOptions): Promise<Gpu>;
  /** Opens a local path; browsers throw `input/invalid`. */
  openFile(path: string): Promise<ByteSource>;
  /** fetch with ranges in mind (undici in Node). */
  readonly fetch: typeof fetch;
  /** Facts for `webgguf devices`: runtime and version, WASM SIMD, SharedArrayBuffer, memory, storage quota where known. */
  facts(): Promise<Readonly<Record<string, string | number | boolean>>>;
  /** Lets pending events run: timers, aborts, messages. */
  breathe(): Promise<void>;
}
