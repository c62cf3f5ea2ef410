/** The CPU path's weights: vectors as floats, matrices as whoever multiplies with them wants to have them. */
import { WebggufError } from "../base/errors.ts";
import { checkCame } from "../base/range.ts";
import { dequantize } from "../file/decode/index.ts";
import { rowBytes } from "../file/quants.ts";
import type { ModelFile, TensorInfo } from "../file/types.ts";
import type { Graph } from "../graph/graph.ts";
import { matricesOf, tensorsOf } from "../graph/ops.ts";
import { allocate } from "./allocate.ts";
import { DecodedMatrix, type Matrix, StoredMatrix } from "./matrix.ts";

/** Keeps a model's matrices. */
export interface MatrixStore {
  /** Bytes held for the matrices, when all are there. */
  readonly bytes: number;
  /** Bytes that products take besides. */
  readonly scratch: number;
  /** Arrays of whole rows for the bytes of one. */
  room(info: TensorInfo): Iterable<Uint8Array>;
  /** Called when they are filled. */
  matrix(info: TensorInfo, pieces: readonly Uint8Array[]): Matrix;
  /** Room for a vector; undefined: an array of its own. */
  vector?(info: TensorInfo): Float32Array | undefined;
}

/** All tensors that a graph reads. */
export class CpuWeights {
  readonly #matrices: ReadonlyMap<string, Matrix>;
  readonly #vectors: ReadonlyMap<string, Float32Array>;
  /** Bytes held. */
  readonly bytes: number;
  /** Bytes that products take besides. */
  readonly scratch: number;

  constructor(
    matrices: Map<string, Matrix>,
    vectors: Map<string, Float32Array>,
    bytes: number,
    scratch: number,
  ) {
    this.#matrices = matrices;
    this.#vectors = vectors;
    this.bytes = bytes;
    this.scratch = scratch;
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

function decode(
  { type, elements }: TensorInfo,
  pieces: readonly Uint8Array[],
  out: Float32Array = allocate(Float32Array, elements),
): Float32Array {
  let at = 0;
  for (const bytes of pieces) {
    const count = (bytes.length / type.bytes) * type.elements;
    dequantize(type, bytes, out.subarray(at, at + count), count);
    at += count;
  }
  return out;
}

/** Arrays of whole rows for a tensor: one holds 2 to 4 GiB on some runtimes, a tensor more. */
function* arrays(info: TensorInfo, pieceBytes: number): Generator<Uint8Array> {
  const stride = rowBytes(info.type, info.shape[0]);
  const most = Math.max(1, Math.floor(pieceBytes / stride)) * stride;
  for (let from = 0; from < info.bytes; from += most)
    yield allocate(Uint8Array, Math.min(most, info.bytes - from));
}

/** Fills arrays with a tensor's bytes. */
async function readTensor(
  file: ModelFile,
  info: TensorInfo,
  room: Iterable<Uint8Array>,
  signal: AbortSignal | undefined,
  onBytes: (count: number) => void,
): Promise<Uint8Array[]> {
  const source = file.sources[info.part];
  const pieces: Uint8Array[] = [];
  let from = info.offset;
  for (const bytes of room) {
    let at = 0;
    for await (const piece of source.stream(from, bytes.length, signal)) {
      signal?.throwIfAborted();
      if (at + piece.length <= bytes.length) bytes.set(piece, at);
      at += piece.length;
      onBytes(piece.length);
    }
    checkCame(source.name, from, bytes.length, at);
    from += bytes.length;
    pieces.push(bytes);
  }
  return pieces;
}

export interface WeightPlan {
  /** All tensors, in file order. */
  readonly infos: readonly TensorInfo[];
  readonly matrices: readonly TensorInfo[];
  readonly vectors: readonly TensorInfo[];
}

/** What the tensors that the graph names are read as. */
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
  const matrices = new Set(graph.ops.flatMap(matricesOf));
  return {
    infos,
    matrices: infos.filter(({ name }) => matrices.has(name)),
    vectors: infos.filter(({ name }) => !matrices.has(name)),
  };
}

/** Bytes of tensors as f32. */
export const floatBytes = (infos: readonly TensorInfo[]): number =>
  infos.reduce((sum, { elements }) => sum + 4 * elements, 0);

/** Models up to this many bytes as f32 are decoded once, at loading. */
const decodedLimit = 256 * 2 ** 20;

/** For products in plain TypeScript: the bytes, decoded row by row, or floats once and for all where that is little. */
export function plainStore(
  { matrices, vectors }: WeightPlan,
  pieceBytes: number = 2 ** 30,
): MatrixStore {
  const decoded = floatBytes(matrices);
  const stored = decoded + floatBytes(vectors) > decodedLimit;
  return {
    bytes: stored ? matrices.reduce((sum, { bytes }) => sum + bytes, 0) : decoded,
    scratch: 0,
    room: (info) => arrays(info, pieceBytes),
    matrix: (info, pieces) =>
      stored
        ? new StoredMatrix(info, pieces)
        : new DecodedMatrix(decode(info, pieces), info.shape[0]),
  };
}

/** Reads the tensors of a plan. `onProgress` gets the bytes read so far and in all. */
export async function loadCpuWeights(
  file: ModelFile,
  plan: WeightPlan,
  store: MatrixStore,
  signal?: AbortSignal,
  onProgress?: (loaded: number, total: number) => void,
): Promise<CpuWeights> {
  const total = plan.infos.reduce((sum, info) => sum + info.bytes, 0);
  const matrices = new Map<string, Matrix>();
  const vectors = new Map<string, Float32Array>();
  const stored = new Set(plan.matrices);
  let loaded = 0;
  for (const info of plan.infos) {
    const room = stored.has(info) ? store.room(info) : arrays(info, info.bytes);
    const pieces = await readTensor(file, info, room, signal, (count) => {
      loaded += count;
      onProgress?.(loaded, total);
    });
    if (stored.has(info)) matrices.set(info.name, store.matrix(info, pieces));
    else vectors.set(info.name, decode(info, pieces, store.vector?.(info)));
  }
  return new CpuWeights(matrices, vectors, store.bytes + floatBytes(plan.vectors), store.scratch);
}
