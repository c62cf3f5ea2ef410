/**
 * The CPU path's weights: raw bytes decoded row by row, or floats once and for all where that is
 * little.
 */
import { WebggufError } from "../base/errors.ts";
import { checkCame } from "../base/range.ts";
import { dequantize } from "../file/decode/index.ts";
import { rowBytes } from "../file/quants.ts";
import type { ModelFile, TensorInfo } from "../file/types.ts";
import type { Graph } from "../graph/graph.ts";
import { matricesOf, tensorsOf } from "../graph/ops.ts";
import { allocate } from "./allocate.ts";
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

function decode({ type, elements }: TensorInfo, pieces: readonly Uint8Array[]): Float32Array {
  const out = allocate(Float32Array, elements);
  let at = 0;
  for (const bytes of pieces) {
    const count = (bytes.length / type.bytes) * type.elements;
    dequantize(type, bytes, out.subarray(at, at + count), count);
    at += count;
  }
  return out;
}

/** A tensor's bytes in pieces of whole rows: an array holds 2 to 4 GiB on some runtimes, a tensor more. */
async function readTensor(
  file: ModelFile,
  info: TensorInfo,
  pieceBytes: number,
  signal: AbortSignal | undefined,
  onBytes: (count: number) => void,
): Promise<Uint8Array[]> {
  const source = file.sources[info.part];
  const stride = rowBytes(info.type, info.shape[0]);
  const most = Math.max(1, Math.floor(pieceBytes / stride)) * stride;
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < info.bytes; from += most) {
    const bytes = allocate(Uint8Array, Math.min(most, info.bytes - from));
    let at = 0;
    for await (const piece of source.stream(info.offset + from, bytes.length, signal)) {
      signal?.throwIfAborted();
      if (at + piece.length <= bytes.length) bytes.set(piece, at);
      at += piece.length;
      onBytes(piece.length);
    }
    checkCame(source.name, info.offset + from, bytes.length, at);
    pieces.push(bytes);
  }
  return pieces;
}

interface WeightPlan {
  readonly infos: readonly TensorInfo[];
  /** Matrices that stay as the file has them; everything else is decoded. */
  readonly stored: ReadonlySet<string>;
  readonly matrices: ReadonlySet<string>;
  /** Bytes that will be held. */
  readonly bytes: number;
}

/** How the tensors that the graph names will be held. */
export function planCpuWeights(graph: Graph, file: ModelFile): WeightPlan {
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
  // In file order: a server without ranges has no other, and one with them needs fewer requests.
  infos.sort((a, b) => a.part - b.part || a.offset - b.offset);
  const decoded = infos.reduce((sum, info) => sum + 4 * info.elements, 0);
  const matrices = new Set(graph.ops.flatMap(matricesOf));
  const stored = decoded <= decodedLimit ? new Set<string>() : matrices;
  const held = (info: TensorInfo): number =>
    stored.has(info.name) ? info.bytes : 4 * info.elements;
  return { infos, stored, matrices, bytes: infos.reduce((sum, info) => sum + held(info), 0) };
}

/** Reads the tensors that the graph names. `onProgress` gets the bytes read so far and in all. */
export async function loadCpuWeights(
  graph: Graph,
  file: ModelFile,
  signal?: AbortSignal,
  onProgress?: (loaded: number, total: number) => void,
  pieceBytes: number = 2 ** 30,
): Promise<CpuWeights> {
  const plan = planCpuWeights(graph, file);
  const total = plan.infos.reduce((sum, info) => sum + info.bytes, 0);
  const matrices = new Map<string, Matrix>();
  const vectors = new Map<string, Float32Array>();
  let loaded = 0;
  for (const info of plan.infos) {
    const pieces = await readTensor(file, info, pieceBytes, signal, (count) => {
      loaded += count;
      onProgress?.(loaded, total);
    });
    const { name } = info;
    if (plan.stored.has(name)) matrices.set(name, new StoredMatrix(info, pieces));
    else if (plan.matrices.has(name))
      matrices.set(name, new DecodedMatrix(decode(info, pieces), info.shape[0]));
    else vectors.set(name, decode(info, pieces));
  }
  return new CpuWeights(matrices, vectors, plan.bytes);
}
