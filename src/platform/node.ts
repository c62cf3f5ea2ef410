/** Node: WebGPU through the optional package `webgpu` (Dawn), files and HTTP. */
import { constants, type Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import os from "node:os";
import { WebggufError } from "../base/errors.ts";
import type { ByteSource } from "../base/source.ts";
import { commonFacts, gibibytes } from "./facts.ts";
import { type FileFacts, fileSource, notAFile, openError, sameFile } from "./files.ts";
import { matches, noSuchAdapter, openDevice } from "./gpu.ts";
import { startThread } from "./threads.ts";
import type { Gpu, Platform } from "./types.ts";
import { missingVulkan } from "./vulkan.ts";

type Create = (flags: string[]) => GPU;

/**
 * Dawn's entry points by their flags. They are kept for the life of the process: the process
 * crashes if one is collected as garbage while a device of it lives.
 */
const entries = new Map<string, GPU>();

/**
 * SwiftShader takes seconds to compile a kernel with workgroup memory when it is asked to zero
 * that memory itself; without this Dawn writes the zeros.
 */
const swiftShaderFlag =
  "disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension";

/** The error for a GPU that could not be used; `reason` says what is wrong and what to do. */
function noAdapter(reason: string, cause?: unknown): WebggufError {
  return new WebggufError("device/no-adapter", `Cannot use a GPU: ${reason}`, { cause });
}

/** Why Dawn's binding did not load, and what to do. */
function loadError(cause: unknown): WebggufError {
  const { code, message = String(cause) } = cause as { code?: string; message?: string };
  const system = `${process.platform}-${process.arch}`;
  if (code === "ERR_MODULE_NOT_FOUND") {
    return noAdapter(
      "the optional package webgpu is not installed; run npm install webgpu@0.6.2",
      cause,
    );
  }
  if (code === "MODULE_NOT_FOUND") {
    return noAdapter(
      `the package webgpu has no build for ${system}; use Deno or a browser there`,
      cause,
    );
  }
  const library = /`?(GLIBC|GLIBCXX)_([\d.]+)'? not found/.exec(message);
  if (library !== null) {
    return noAdapter(
      `the package webgpu needs a newer C library (${library[1]} ${library[2]}); use a newer system, Deno or a browser`,
      cause,
    );
  }
  const line = message.split("\n", 1)[0];
  return noAdapter(
    `the package webgpu could not be loaded on ${system} (${line}); reinstall it`,
    cause,
  );
}

let loading: Promise<Create> | undefined;

function loadDawn(): Promise<Create> {
  loading ??= import("webgpu").then(
    (dawn) => dawn.create as Create,
    (cause) => {
      throw loadError(cause);
    },
  );
  return loading;
}

function entry(create: Create, ...flags: string[]): GPU {
  const key = flags.join("\n");
  let gpu = entries.get(key);
  if (gpu === undefined) {
    gpu = create(flags);
    entries.set(key, gpu);
  }
  return gpu;
}

/** Names of all adapters. Dawn lists them only in the error for a name that no adapter has. */
async function adapterNames(create: Create): Promise<string[]> {
  try {
    await entry(create, "adapter=(none of them)").requestAdapter();
    return [];
  } catch (error) {
    const names = String(error).matchAll(/backend: '(?!null)\w+', name: '([^\n]*)'/g);
    return [...new Set(Array.from(names, (match) => match[1]!))];
  }
}

/** Dawn's form of a name in `info.device`. */
function sanitised(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}

async function openGpu(wanted: string | undefined): Promise<Gpu> {
  const missing = missingVulkan();
  if (missing !== undefined) throw noAdapter(missing);
  const create = await loadDawn();
  const names = await adapterNames(create);
  const flags: string[] = [];
  if (wanted !== undefined && names.length > 0) {
    const name = names.find((one) => matches(one, wanted));
    if (name === undefined) throw noSuchAdapter(wanted, names);
    flags.push(`adapter=${name}`);
  }
  const options = { powerPreference: "high-performance" } as const;
  let gpu = entry(create, ...flags);
  let adapter = await gpu.requestAdapter(options);
  if (adapter !== null && adapter.info.architecture === "swiftshader") {
    gpu = entry(create, ...flags, swiftShaderFlag);
    adapter = await gpu.requestAdapter(options);
  }
  if (adapter === null) {
    throw noAdapter(
      "the graphics driver offers no adapter that WebGPU can use; update it (Mesa: 24 or newer)",
    );
  }
  const { device } = adapter.info;
  return openDevice(
    gpu,
    adapter,
    names.find((one) => sanitised(one) === sanitised(device)),
  );
}

async function listAdapters(): Promise<readonly string[]> {
  if (missingVulkan() !== undefined) return [];
  try {
    return await adapterNames(await loadDawn());
  } catch (error) {
    if (error instanceof WebggufError) return [];
    throw error;
  }
}

const factsOf = (stats: Stats): FileFacts => ({
  isFile: stats.isFile(),
  size: stats.size,
  modified: stats.mtimeMs,
});

async function openFile(path: string): Promise<ByteSource> {
  try {
    // Looked at first: a device may do anything when it is opened. And without waiting for the writer of a pipe that
    // came meanwhile.
    if (!(await stat(path)).isFile()) throw notAFile(path);
    const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const facts = factsOf(await handle.stat());
    if (!facts.isFile) {
      await handle.close();
      throw notAFile(path);
    }
    return fileSource(path, {
      size: facts.size,
      unchanged: async () => sameFile(facts, factsOf(await handle.stat())),
      readAt: async (into, offset) => (await handle.read(into, 0, into.length, offset)).bytesRead,
      close: () => handle.close(),
    });
  } catch (cause) {
    if (cause instanceof WebggufError) throw cause;
    throw openError(path, (cause as { code?: string }).code ?? "unknown reason", cause);
  }
}

let client: Promise<typeof fetch> | undefined;

/** undici's fetch with an agent that keeps connections and honours the proxy variables. */
function httpClient(): Promise<typeof fetch> {
  client ??= import("undici").then((undici) => {
    const dispatcher = new undici.EnvHttpProxyAgent({ connections: 8, bodyTimeout: 60_000 });
    const request = undici.fetch as unknown as typeof fetch;
    return (input, init) => request(input, { ...init, dispatcher } as RequestInit);
  });
  return client;
}

/** The platform of Node. */
export const platform: Platform = {
  runtime: "node",
  openGpu: (options) => openGpu(options?.name),
  listAdapters,
  openFile,
  fetch: async (input, init) => (await httpClient())(input, init),
  processors: () => os.availableParallelism(),
  startThread,
  files: async () => (await import("./disk.ts")).disk,
  async memory() {
    // 0, or more than there is, without a limit.
    const limit = process.constrainedMemory?.() || Number.POSITIVE_INFINITY;
    return Math.min(os.totalmem(), limit);
  },
  async facts(): Promise<Readonly<Record<string, string | number | boolean>>> {
    return {
      runtime: `node ${process.versions.node}`,
      system: `${process.platform} ${process.arch}`,
      ...commonFacts(),
      threads: os.availableParallelism(),
      memory: gibibytes(os.totalmem()),
      memoryFree: gibibytes(os.freemem()),
    };
  },
};
