/** Deno: WebGPU is built in; files by path with --allow-read. */
import { WebggufError } from "../base/errors.ts";
import type { ByteSource } from "../base/source.ts";
import { commonFacts, gibibytes } from "./facts.ts";
import { type FileFacts, fileSource, notAFile, openError, sameFile } from "./files.ts";
import { listNavigatorAdapters, openNavigatorGpu } from "./gpu.ts";
import { startThread } from "./threads.ts";
import type { Files, Gpu, Platform } from "./types.ts";

/** The little of Deno's own API that is used, so that type checks elsewhere need none of it. */
interface DenoStat {
  readonly size: number;
  readonly isFile: boolean;
  readonly mtime: Date | null;
}
interface DenoFile {
  read(into: Uint8Array): Promise<number | null>;
  seek(offset: number, whence: number): Promise<number>;
  stat(): Promise<DenoStat>;
  close(): void;
}
interface DenoApi {
  readonly version: { readonly deno: string };
  readonly build: { readonly os: string; readonly arch: string };
  readonly permissions: {
    query(
      permission: { name: "sys"; kind: string } | { name: "env" | "write" },
    ): Promise<{ state: string }>;
  };
  open(path: string, options: { read: true }): Promise<DenoFile>;
  stat(path: string): Promise<DenoStat>;
  systemMemoryInfo(): { total: number; available: number };
}

const runtime = (globalThis as unknown as { Deno: DenoApi }).Deno;

const help =
  "install a Vulkan driver for your graphics card (Debian, Ubuntu: apt install libvulkan1 mesa-vulkan-drivers)";

const factsOf = ({ isFile, size, mtime }: DenoStat): FileFacts => ({
  isFile,
  size,
  modified: mtime?.getTime(),
});

async function openFile(path: string): Promise<ByteSource> {
  let file: DenoFile;
  try {
    // Looked at first: opening a pipe waits for its writer.
    if (!(await runtime.stat(path)).isFile) throw notAFile(path);
    file = await runtime.open(path, { read: true });
  } catch (cause) {
    if (cause instanceof WebggufError) throw cause;
    throw openError(path, cause instanceof Error ? cause.name : "unknown reason", cause);
  }
  const facts = factsOf(await file.stat());
  if (!facts.isFile) {
    file.close();
    throw notAFile(path);
  }
  // A file has one position, so reads that overlap in time wait for each other.
  let turn: Promise<unknown> = Promise.resolve();
  return fileSource(path, {
    size: facts.size,
    unchanged: async () => sameFile(facts, factsOf(await file.stat())),
    readAt(into, offset): Promise<number> {
      const reading = turn.then(async () => {
        await file.seek(offset, 0);
        return (await file.read(into)) ?? 0;
      });
      turn = reading.catch(() => undefined);
      return reading;
    },
    async close(): Promise<void> {
      await turn;
      file.close();
    },
  });
}

/** Asks for the permission first, because a call without it would prompt the user. */
async function memoryInfo(): Promise<{ total: number; available: number } | undefined> {
  const permission = await runtime.permissions.query({ name: "sys", kind: "systemMemoryInfo" });
  return permission.state === "granted" ? runtime.systemMemoryInfo() : undefined;
}

/** With both permissions: a call without them would ask the user. */
async function files(): Promise<Files | undefined> {
  for (const name of ["env", "write"] as const)
    if ((await runtime.permissions.query({ name })).state !== "granted") return undefined;
  const { disk } = await import("./disk.ts");
  return disk;
}

/** The platform of Deno. */
export const platform: Platform = {
  runtime: "deno",
  openGpu(options): Promise<Gpu> {
    return openNavigatorGpu(globalThis.navigator?.gpu, help, options?.name);
  },
  listAdapters(): Promise<readonly string[]> {
    return listNavigatorAdapters(globalThis.navigator?.gpu);
  },
  openFile,
  fetch: (input, init) => globalThis.fetch(input, init),
  startThread,
  files,
  memory: async () => (await memoryInfo())?.total,
  async facts(): Promise<Readonly<Record<string, string | number | boolean>>> {
    const facts: Record<string, string | number | boolean> = {
      runtime: `deno ${runtime.version.deno}`,
      system: `${runtime.build.os} ${runtime.build.arch}`,
      ...commonFacts(),
    };
    const memory = await memoryInfo();
    if (memory) {
      facts["memory"] = gibibytes(memory.total);
      facts["memoryFree"] = gibibytes(memory.available);
    }
    return facts;
  },
};
