/** Memories with their kernels. */
import type { TensorInfo } from "../../file/types.ts";
import { outOfMemory } from "../allocate.ts";
import type { Kernels, Room } from "./kernels.ts";
import { isCommon, kernelBytes } from "./module.ts";
import { type Places, productsAtOnce } from "./place.ts";
import type { Rare } from "./rare.ts";

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

function moduleFor(
  infos: readonly TensorInfo[],
  shared: boolean,
  rare: Rare | undefined,
): Promise<WebAssembly.Module> {
  const types = [...new Set(infos.map(({ type }) => type.name))].sort();
  const key = `${types} ${shared} ${rare !== undefined}`;
  const made = modules.get(key) ?? WebAssembly.compile(kernelBytes(types, shared, rare));
  modules.set(key, made);
  return made;
}

/** Ops that rare.ts has. */
const rareOps = /^(moe|conv|shift|ssm|deltaNet|wkv7)/;

/** What these matrices and ops need besides what all models do. */
export async function rareFor(
  infos: readonly TensorInfo[],
  ops: readonly { readonly op: string }[] = [],
): Promise<Rare | undefined> {
  if (!ops.some(({ op }) => rareOps.test(op)) && infos.every(({ type }) => isCommon(type.name)))
    return undefined;
  return (await import("./rare.ts")).rare;
}

/** Makes the memories and the kernels of the matrices' types, and starts helpers for all threads but this one. */
export async function makeRooms(
  infos: readonly TensorInfo[],
  places: Places,
  threads = 1,
  given?: Rare,
): Promise<Room[]> {
  const shared = threads > 1;
  const rare = given ?? (await rareFor(infos));
  const module = await moduleFor(infos, shared, rare);
  const { scratch } = places;
  const memories = places.memories.map((bytes) => makeMemory(bytes, shared));
  const kernels: Kernels[] = [];
  for (const memory of memories)
    kernels.push((await WebAssembly.instantiate(module, { env: { memory } })).exports as Kernels);
  const Pool = shared && (await import("./threads/pool.ts")).Pool;
  const pool = Pool ? new Pool({ threads, module, memories, kernels }) : undefined;
  return memories.map((memory, number) => {
    // Shared or not: what is read and written is the same.
    const buffer = memory.buffer as ArrayBuffer;
    rare?.fill(buffer);
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
