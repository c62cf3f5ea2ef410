/**
 * Where tensors go in GPU memory: pure planning, no device. Matrices keep the bytes of their GGUF blocks, in the layout of
 * kernels/layouts.ts; a placement group (q·k·v, gate·up) stands in one buffer so that one kernel reads it through one binding. What does
 * not fit a binding is split by rows into pieces, at expert borders if possible. Vectors (norms, biases,
 * sinks) become f32 in one small buffer.
 */
import { WebggufError } from "../base/errors.ts";
import type { QuantType } from "../file/quants.ts";
import type { ModelFile, TensorInfo } from "../file/types.ts";
import type { Graph } from "../graph/graph.ts";
import { matricesOf, vectorsOf } from "../graph/ops.ts";
import { layoutOf, storedBytes } from "../kernels/layouts.ts";

/** Rows of a matrix that stand together in a buffer. */
export interface Piece {
  readonly buffer: string;
  /** Bytes from the buffer's start; a multiple of 4. */
  readonly offset: number;
  readonly first: number;
  readonly rows: number;
}

export interface PlacedMatrix {
  readonly tensor: TensorInfo;
  readonly type: QuantType;
  /** Row length and number of rows (experts one after the other). */
  readonly width: number;
  readonly rows: number;
  /** In the file. */
  readonly rowBytes: number;
  readonly pieces: readonly Piece[];
}

export interface Placement {
  readonly matrices: ReadonlyMap<string, PlacedMatrix>;
  /** f32 index in the small buffer. */
  readonly vectors: ReadonlyMap<string, number>;
  /** Elements of each vector. */
  readonly vectorLengths: ReadonlyMap<string, number>;
  /** Buffers to make: name → bytes. */
  readonly buffers: ReadonlyMap<string, number>;
  /** Floats of the small buffer that tensors take. */
  readonly smallLength: number;
  readonly bytes: number;
}

const align = (value: number, to: number): number => Math.ceil(value / to) * to;
const ALIGNMENT = 256;

/** Tensors that ops read as matrices, and as vectors, in order of first use. */
export function weightsOf(graph: Graph): { matrices: string[]; vectors: string[] } {
  const matrices = new Set<string>();
  const vectors = new Set<string>();
  for (const op of graph.ops) {
    for (const name of matricesOf(op)) matrices.add(name);
    for (const name of vectorsOf(op)) vectors.add(name);
  }
  return { matrices: [...matrices], vectors: [...vectors] };
}

type Facts = Omit<PlacedMatrix, "pieces">;

/** The most bytes that fill up the last group of blocks of a piece. */
const fill = ({ type }: Facts): number => ((layoutOf(type)?.blocks ?? 1) - 1) * type.bytes;

/** Bytes of a buffer that some rows take. */
const room = ({ type, width }: Facts, rows: number): number =>
  align(storedBytes(type, rows * width), ALIGNMENT);

/** `maxPieceBytes`: what one binding may hold. */
export function placeWeights(graph: Graph, file: ModelFile, maxPieceBytes: number): Placement {
  const wanted = weightsOf(graph);
  const find = (name: string): TensorInfo => {
    const tensor = file.tensors.get(name);
    if (!tensor) {
      throw new WebggufError("model/invalid", `Cannot find tensor "${name}" in ${file.name}`, {
        tensor: name,
        file: file.name,
      });
    }
    return tensor;
  };
  const binding = Math.floor(maxPieceBytes / ALIGNMENT) * ALIGNMENT;
  const matrices = new Map<string, PlacedMatrix>();
  const buffers = new Map<string, number>();
  const facts = (name: string): Facts => {
    const tensor = find(name);
    const width = tensor.shape[0];
    const rows = tensor.elements / width;
    return {
      tensor,
      type: tensor.type,
      width,
      rows,
      rowBytes: (width / tensor.type.elements) * tensor.type.bytes,
    };
  };
  /** Stacks of equally many experts: each buffer holds the same experts of all of them. False where it cannot be. */
  const placeExperts = (names: readonly string[], members: readonly Facts[]): boolean => {
    const experts = members[0].tensor.shape[2] ?? 1;
    if (experts === 1 || members.some((m) => m.tensor.shape[2] !== experts)) return false;
    const bytes = members.reduce((sum, m) => sum + m.tensor.bytes / experts, 0);
    const spare = members.reduce((sum, m) => sum + fill(m) + ALIGNMENT, 0);
    const most = Math.floor((binding - spare) / bytes);
    if (most < 1) return false;
    const pieces = members.map((): Piece[] => []);
    for (let expert = 0; expert < experts; expert += most) {
      const buffer = `weights:${buffers.size}`;
      const count = Math.min(most, experts - expert);
      let offset = 0;
      members.forEach((m, i) => {
        const height = m.rows / experts;
        pieces[i].push({ buffer, offset, first: expert * height, rows: count * height });
        offset += room(m, count * height);
      });
      buffers.set(buffer, offset);
    }
    members.forEach((m, i) => {
      matrices.set(names[i], { ...m, pieces: pieces[i] });
    });
    return true;
  };
  const place = (names: readonly string[]): void => {
    const members = names.map(facts);
    const total = members.reduce((sum, m) => sum + room(m, m.rows), 0);
    if (total <= binding) {
      const buffer = `weights:${buffers.size}`;
      let offset = 0;
      members.forEach((m, i) => {
        matrices.set(names[i], { ...m, pieces: [{ buffer, offset, first: 0, rows: m.rows }] });
        offset += room(m, m.rows);
      });
      buffers.set(buffer, Math.max(offset, ALIGNMENT));
      return;
    }
    if (placeExperts(names, members)) return;
    if (names.length > 1) {
      for (const name of names) place([name]);
      return;
    }
    // Pieces begin at a row whose bytes begin a word, so a multiple of 4 rows at most.
    const m = members[0];
    const step = m.rowBytes % 4 === 0 ? 1 : m.rowBytes % 2 === 0 ? 2 : 4;
    const most = Math.floor((binding - fill(m)) / m.rowBytes / step) * step;
    if (most <= 0) {
      throw new WebggufError(
        "device/limit",
        `Cannot place tensor "${names[0]}": one row has ${m.rowBytes} bytes, the device binds ${binding}`,
        { tensor: names[0], expected: binding, actual: m.rowBytes },
      );
    }
    const pieces: Piece[] = [];
    for (let first = 0; first < m.rows; first += most) {
      const rows = Math.min(most, m.rows - first);
      const buffer = `weights:${buffers.size}`;
      buffers.set(buffer, room(m, rows));
      pieces.push({ buffer, offset: 0, first, rows });
    }
    matrices.set(names[0], { ...m, pieces });
  };
  const grouped = new Set<string>();
  for (const group of graph.groups) {
    const members = group.filter((name) => wanted.matrices.includes(name) && !grouped.has(name));
    for (const name of members) grouped.add(name);
    if (members.length > 0) place(members);
  }
  for (const name of wanted.matrices) if (!grouped.has(name)) place([name]);

  const vectors = new Map<string, number>();
  const vectorLengths = new Map<string, number>();
  let smallLength = 0;
  for (const name of wanted.vectors) {
    const { elements } = find(name);
    vectors.set(name, smallLength);
    vectorLengths.set(name, elements);
    smallLength = align(smallLength + elements, 4);
  }
  let bytes = 0;
  for (const size of buffers.values()) bytes += size;
  return { matrices, vectors, vectorLengths, buffers, smallLength, bytes };
}

/** "buffer first-expert" of each piece, or undefined where an expert straddles pieces. */
export function expertPieces(matrix: PlacedMatrix): string[] | undefined {
  const height = matrix.rows / expertsIn(matrix);
  if (matrix.pieces.some((p) => p.first % height !== 0)) return undefined;
  return matrix.pieces.map((p) => `${p.buffer} ${p.first / height}`);
}

/** Experts of a stack; 1 for a plain matrix. */
export const expertsIn = (matrix: PlacedMatrix): number => matrix.tensor.shape[2] ?? 1;
