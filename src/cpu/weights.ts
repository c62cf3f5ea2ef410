/**
 * The CPU path's weights: raw bytes decoded row by row, or floats once and for all where that is
 * little.
 */
import { WebggufError } from "../base/errors.ts";
import { dequantize } from "../file/decode/index.ts";
import type { ModelFile, TensorInfo } from "../file/types.ts";
import type { Graph } from "../graph/graph.ts";
import { matricesOf, tensorsOf } from "../graph/ops.ts";
import { DecodedMatrix, type Matrix, StoredMatrix } from "./matrix.ts";

/** Models up to this many bytes as f32 are decoded once, at loading. */
const decodedLimit = 256 * 2 ** 20;

/** All tensors that a graph reads. */
export class CpuWeights {
  readonly #matrices: ReadonlyMap<string, Matrix>;
  readonly #vectors: ReadonlyMap<string, Float32Array>;
  /** Bytes held. */
  readonly bytes: number;

  constructor(matrices: Map<string, Matrix>, vectors: Map<string, Float32Array>, bytes: number) {
    this.#matrices = matrices;
    this.#vectors = vectors;
    this.bytes = bytes;
  }
  matrix(name: string): Matrix {
    return this.#matrices.get(name) as Matrix;
  }
  vector(name: string): Float32Array {
    return this.#vectors.get(name) as Float32Array;
  }
  optional(name: string | undefined): Float32Array | undefined {
    return name === undefined ? undefined : this.#vectors.get(name);
  }
}

function decode(info: TensorInfo, bytes: Uint8Array): Float32Array {
  const out = new Float32Array(info.elements);
  dequantize(info.type, bytes, out, info.elements);
  return out;
}

async function readTensor(
  file: ModelFile,
  info: TensorInfo,
  signal: AbortSignal | undefined,
  onBytes: (count: number) => void,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(info.bytes);
  let at = 0;
  for await (const piece of file.sources[info.part].stream(info.offset, info.bytes, signal)) {
    signal?.throwIfAborted();
    bytes.set(piece, at);
    at += piece.length;
    onBytes(piece.length);
  }
  return bytes;
}

/** Reads the tensors that the graph names. `onProgress` gets the bytes read so far and in all. */
export async function loadCpuWeights(
  graph: Graph,
  file: ModelFile,
  signal?: AbortSignal,
  onProgress?: (loaded: number, total: number) => void,
): Promise<CpuWeights> {
  const infos = [...new Set(graph.ops.flatMap(tensorsOf))].map((name) => {
    const info = file.tensors.get(name) as TensorInfo;
    if (info.type.data)
      throw new WebggufError(
        "model/unsupported",
        `Cannot use tensor "${name}" of ${file.name} as a weight: its type is ${info.type.name}`,
        { file: file.name, tensor: name, actual: info.type.name },
      );
    return info;
  });
  const total = infos.reduce((sum, info) => sum + info.bytes, 0);
  const decodeAll = infos.reduce((sum, info) => sum + 4 * info.elements, 0) <= decodedLimit;
  const asMatrix = new Set(graph.ops.flatMap(matricesOf));
  const matrices = new Map<string, Matrix>();
  const vectors = new Map<string, Float32Array>();
  let [loaded, held] = [0, 0];
  for (const info of infos) {
    const bytes = await readTensor(file, info, signal, (count) => {
      loaded += count;
      onProgress?.(loaded, total);
    });
    if (!asMatrix.has(info.name)) vectors.set(info.name, decode(info, bytes));
    else if (decodeAll)
      matrices.set(info.name, new DecodedMatrix(decode(info, bytes), info.shape[0]));
    else matrices.set(info.name, new StoredMatrix(info, bytes));
    held += matrices.get(info.name) instanceof StoredMatrix ? info.bytes : 4 * info.elements;
  }
  return new CpuWeights(matrices, vectors, held);
}
