/** Tensors of a file that its graph does not read: a sign that it is another model than its header says. */
import type { ModelFile } from "../file/types.ts";
import type { Graph } from "../graph/graph.ts";
import { tensorsOf } from "../graph/ops.ts";

/** What files carry along: layers that draft tokens, the factors of another context length, scales of activations. */
const CARRIED = /nextn|mtp|^rope_factors_|\.input_scale$/;

/**
 * Names of the tensors that no layer reads, beyond those that published files are known to have. A tensor
 * that is read in another layer is known to the family, which does without it here (shared caches,
 * the first layer of RWKV 7). llama.cpp refuses what it did not ask for, and asks for some that it
 * does not compute with.
 */
export function unreadTensors(file: ModelFile, graph: Graph): string[] {
  const layers = file.metadata.integer(`${graph.architecture}.block_count`, graph.layers);
  const read = new Set(graph.ops.flatMap(tensorsOf));
  const stems = new Set(Array.from(read, stemOf));
  const known = (name: string): boolean =>
    read.has(name) ||
    (stems.has(stemOf(name)) && layerOf(name) < layers) ||
    (graph.outputKind === "embeddings" && name.startsWith("output")) ||
    CARRIED.test(name);
  return [...file.tensors.keys()].filter((name) => !known(name));
}

const stemOf = (name: string): string => name.replace(/^blk\.\d+\./, "blk.");
const layerOf = (name: string): number => Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? 0);
