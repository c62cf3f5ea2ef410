/** Memories with their kernels. */
import { quantTables } from "../../file/grids.ts";
import type { TensorInfo } from "../../file/types.ts";
import { outOfMemory } from "../allocate.ts";
import { gridFormats, tablesAt } from "./formats/iq.ts";
import type { Kernels, Room } from "./kernels.ts";
import { kernelBytes } from "./module.ts";
import { type Places, productsAtOnce } from "./place.ts";
import { Pool } from "./threads/pool.ts";

function makeMemory(bytes: number, shared: boolean): WebAssembly.Memory {
  const pages = bytes / 2 ** 16;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (cause) {
    throw outOfMemory(bytes, cause);
  }
}

/** Compiled modules by the types that they are for. */
const modules = new Map<string, Promise<WebAssembly.Module>>();

function moduleFor(infos: readonly TensorInfo[], shared: boolean): Promise<WebAssembly.Module> {
  const types = [...new Set(infos.map(({ type }) => type.name))].sort();
  const key = `${types} ${shared}`;
  const made = modules.get(key) ?? WebAssembly.compile(kernelBytes(types, shared));
  modules.set(key, made);
  return made;
}

/** Makes the memories and the kernels of the matrices' types, and starts helpers for all threads but this one. */
export async function makeRooms(
  infos: readonly TensorInfo[],
  places: Places,
  threads = 1,
): Promise<Room[]> {
  const shared = threads > 1;
  const module = await moduleFor(infos, shared);
  const { scratch } = places;
  const memories = places.memories.map((bytes) => makeMemory(bytes, shared));
  const kernels: Kernels[] = [];
  for (const memory of memories)
    kernels.push((await WebAssembly.instantiate(module, { env: { memory } })).exports as Kernels);
  const pool = shared ? new Pool({ threads, module, memories, kernels }) : undefined;
  return memories.map((memory, number) => {
    // Shared or not: what is read and written is the same.
    const buffer = memory.buffer as ArrayBuffer;
    if (infos.some(({ type }) => type.name in gridFormats))
      new Uint32Array(buffer, tablesAt).set(quantTables());
    return {
      kernels: kernels[number],
      number,
      pool,
      buffer,
      x: new Float32Array(buffer, scratch.x, (scratch.q - scratch.x) / 4),
      y: new Float32Array(buffer, scratch.y, productsAtOnce),
    };
  });
}
