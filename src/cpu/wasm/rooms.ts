/** Memories with their kernels. */
import { quantTables } from "../../file/grids.ts";
import type { TensorInfo } from "../../file/types.ts";
import { outOfMemory } from "../allocate.ts";
import { gridFormats, tablesAt } from "./formats/iq.ts";
import type { Kernels, Room } from "./kernels.ts";
import { kernelBytes } from "./module.ts";
import { type Places, productsAtOnce } from "./place.ts";

function makeMemory(bytes: number): WebAssembly.Memory {
  const pages = bytes / 2 ** 16;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (cause) {
    throw outOfMemory(bytes, cause);
  }
}

/** Compiled modules by the types that they are for. */
const modules = new Map<string, Promise<WebAssembly.Module>>();

function moduleFor(infos: readonly TensorInfo[]): Promise<WebAssembly.Module> {
  const types = [...new Set(infos.map(({ type }) => type.name))].sort();
  const key = types.join();
  const made = modules.get(key) ?? WebAssembly.compile(kernelBytes(types));
  modules.set(key, made);
  return made;
}

/** Makes the memories and the kernels of the matrices' types. */
export async function makeRooms(infos: readonly TensorInfo[], places: Places): Promise<Room[]> {
  const module = await moduleFor(infos);
  const { scratch } = places;
  const rooms: Room[] = [];
  for (const bytes of places.memories) {
    const memory = makeMemory(bytes);
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    const { buffer } = memory;
    if (infos.some(({ type }) => type.name in gridFormats))
      new Uint32Array(buffer, tablesAt).set(quantTables());
    rooms.push({
      kernels: exports as Kernels,
      buffer,
      x: new Float32Array(buffer, scratch.x, (scratch.q - scratch.x) / 4),
      y: new Float32Array(buffer, scratch.y, productsAtOnce),
    });
  }
  return rooms;
}
