/** Keeps a model's matrices in WebAssembly memory, where its kernels multiply with them. */
import type { MatrixStore, WeightPlan } from "../weights.ts";
import { bytesOf, makeRooms, WasmMatrix } from "./matrix.ts";
import { kernelBytes } from "./module.ts";
import { type Places, placeMatrices } from "./place.ts";

/** Whether there is WebAssembly with SIMD, and the page's policy allows it. */
export async function hasKernels(): Promise<boolean> {
  try {
    await WebAssembly.compile(kernelBytes([]));
    return true;
  } catch {
    return false;
  }
}

/** What a store will hold, told before anything is allocated. */
export function heldBy(places: Places): Pick<MatrixStore, "bytes" | "scratch"> {
  const all = places.memories.reduce((sum, bytes) => sum + bytes, 0);
  return { bytes: places.weights, scratch: all - places.weights };
}

/** @param memoryBytes bytes of a memory, at most */
export async function wasmStore(
  { matrices }: Pick<WeightPlan, "matrices">,
  memoryBytes?: number,
): Promise<MatrixStore> {
  const places = placeMatrices(matrices, memoryBytes);
  const rooms = await makeRooms(matrices, places);
  return {
    ...heldBy(places),
    room: (info) => bytesOf(info, places.pieces.get(info.name) ?? [], rooms),
    matrix: (info) => new WasmMatrix(info, places, rooms),
  };
}
