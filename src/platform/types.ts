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

/** A file that is read and written at any place. */
export interface OpenedFile {
  /** Fills `into` from `offset`; resolves with the bytes that there were. */
  read(into: Uint8Array<ArrayBuffer>, offset: number): Promise<number>;
  /** Writes all of the bytes at `offset`, which may lie behind the end. */
  write(bytes: Uint8Array<ArrayBuffer>, offset: number): Promise<void>;
  close(): Promise<void>;
}

/** A digest of bytes that come one after the other. */
export interface Digest {
  update(bytes: Uint8Array<ArrayBuffer>): void;
  /** In lower-case hexadecimal digits. */
  hex(): string;
}

/** What holds a lock; it is let go at the latest when the process or tab ends. */
export interface FileLock {
  release(): Promise<void>;
}

/** Where models are kept: the file system, or that of a browser's origin. Paths are parted by `/`. */
export interface Files {
  /** A variable of the environment, unless it is empty. */
  env(name: string): string | undefined;
  /** Folders for models by the rules of the hub and for those from elsewhere. */
  folders(): { readonly hub: string; readonly own: string };
  /** A small file's text; undefined where there is none. */
  text(path: string): Promise<string | undefined>;
  /** Puts a small file there, whole or not at all. */
  put(path: string, text: string): Promise<void>;
  /** Names in a folder in their order, those of folders with a slash behind them. */
  list(path: string): Promise<readonly string[]>;
  /** Bytes of a file, links followed; undefined where there is none. */
  size(path: string): Promise<number | undefined>;
  open(path: string): Promise<OpenedFile>;
  /** Moves a file onto another place. */
  move(from: string, to: string): Promise<void>;
  /** Makes `path` another name of `target`: false where the system has no such links. */
  link(target: string, path: string): Promise<boolean>;
  /** Where a link leads to; the path itself if it is none. */
  real(path: string): Promise<string>;
  /** Removes a file or a folder with all in it, if it is there. */
  remove(path: string): Promise<void>;
  /** Bytes that can be written yet, in all where that is told. */
  space(path: string): Promise<{ readonly free: number; readonly quota?: number } | undefined>;
  /** Undefined while somebody else holds it. */
  lock(path: string): Promise<FileLock | undefined>;
  sha256(): Digest;
}

/** A thread that was started. */
export interface Thread {
  end(): void;
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
  /** Processors that this process may use, where the runtime tells in a way of its own. */
  processors?(): number;
  /**
   * Runs a function that a module exports in a thread of its own; undefined where `Worker` does. The process does not
   * wait for it.
   */
  startThread?(
    module: string,
    name: string,
    data: unknown,
    onError: (reason: string) => void,
  ): Thread;
  /** Where models are kept; undefined where that is not allowed, or (in browsers) the business of a worker. */
  files(): Promise<Files | undefined>;
  /** Bytes of memory that this machine, or what limits this process, has; undefined where the runtime does not tell. */
  memory(): Promise<number | undefined>;
  /** Facts for `webgguf devices`: runtime and version, WASM SIMD, SharedArrayBuffer, memory, storage quota where known. */
  facts(): Promise<Readonly<Record<string, string | number | boolean>>>;
}
