/** A model file with other types of tensors: planned whole, then written piece by piece. */
import { WebggufError } from "../base/errors.ts";
import { quoted } from "../base/text.ts";
import { dequantize } from "../file/decode/index.ts";
import { rowBytes } from "../file/quants.ts";
import type { ModelFile } from "../file/types.ts";
import { readRawPairs } from "../gguf/raw-pairs.ts";
import { splitKeys } from "../gguf/split.ts";
import { type Sink, type WritableMetadata, writeGguf } from "../gguf/write.ts";
import { typed, type WritableValue } from "../gguf/write-value.ts";
import type { Importance } from "./importance.ts";
import { type PlannedTensor, type PlanOptions, planTypes } from "./plan.ts";
import type { Recipe } from "./recipes.ts";
import { quantizeRows } from "./rows.ts";
import { checkBlocks, checkWeights } from "./validate.ts";

export interface FilePlanOptions extends Omit<PlanOptions, "important" | "keepOrder"> {
  readonly importance?: Importance;
  /** Name of the importance matrix for the file's metadata. */
  readonly importanceName?: string;
  /** Allows tensors that are quantised already to be quantised again. */
  readonly allowRequantize?: boolean;
  /** As many files as the model has. */
  readonly keepSplit?: boolean;
  /** Only the plan is wanted: a missing importance is no error. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** One file to be written. */
export interface FilePart {
  readonly metadata: WritableMetadata;
  readonly tensors: readonly PlannedTensor[];
}

export interface FilePlan {
  readonly parts: readonly FilePart[];
  /** All tensors in the order of the files. */
  readonly tensors: readonly PlannedTensor[];
}

/** Keys that are written anew, or only where a file is one of several. */
const replaced: ReadonlySet<string> = new Set([
  ...["general.quantization_version", "general.file_type", "general.alignment"],
  ...Object.values(splitKeys),
]);

const longestNote = 127;

/** Decides what the files will hold; what cannot be quantised so is an error here, before anything is written. */
export async function planFile(
  file: ModelFile,
  recipe: Recipe,
  options: FilePlanOptions = {},
): Promise<FilePlan> {
  const { importance, keepSplit = false } = options;
  const values = importance?.values;
  const order = [...file.tensors.values()];
  if (keepSplit) order.sort((a, b) => a.part - b.part || a.offset - b.offset);
  const tensors = planTypes(file.metadata, order, recipe, {
    ...options,
    important: (values?.size ?? 0) > 0,
    keepOrder: keepSplit,
  });
  for (const tensor of tensors) check(tensor, options);
  const metadata = await metadataOf(file, recipe, options);
  const count = keepSplit ? file.sources.length : 1;
  const parts = Array.from({ length: count }, (_, no) => {
    const split: [string, WritableValue][] =
      count === 1
        ? []
        : [
            [splitKeys.no, typed("u16", no)],
            [splitKeys.count, typed("u16", count)],
            [splitKeys.tensors, typed("i32", tensors.length)],
          ];
    return {
      metadata: no === 0 ? [...metadata, ...split] : split,
      tensors: keepSplit ? tensors.filter(({ from }) => from.part === no) : tensors,
    };
  });
  return { parts, tensors };
}

function check({ from, type, needsImportance }: PlannedTensor, options: FilePlanOptions): void {
  if (from.type === type) return;
  const { name } = from;
  const refuse = (problem: string, details = {}): never => {
    throw new WebggufError("input/invalid", `Cannot quantise ${quoted(name)} ${problem}`, {
      tensor: name,
      ...details,
    });
  };
  if (from.type.data) refuse(`of ${from.type.name}: it holds data, not weights`);
  if (from.type.elements > 1 && !options.allowRequantize)
    refuse(
      `of ${from.type.name} to ${type.name}: it is quantised already and would lose more; begin with an F16, BF16 or F32 file, or allow requantising`,
      { expected: "F16, BF16 or F32", actual: from.type.name },
    );
  const weights = options.importance?.values.get(name);
  const [columns, , matrices = 1] = from.shape;
  if (weights && weights.length !== columns * matrices && name !== "token_embd.weight")
    refuse(
      `by importance of ${weights.length} columns: it has ${columns * matrices}; give the importance of this model`,
      { expected: columns * matrices, actual: weights.length },
    );
  if (needsImportance && !weights && !options.dryRun)
    refuse(
      `to ${type.name}: such low bits without importance give garbage; give an importance matrix that has this tensor`,
      { actual: type.name },
    );
}

async function metadataOf(
  file: ModelFile,
  recipe: Recipe,
  { importance, importanceName, signal }: FilePlanOptions,
): Promise<[string, WritableValue][]> {
  const raw = await readRawPairs(file.sources[0], file.dataOffsets[0], signal);
  const all: [string, WritableValue][] = raw ?? [...file.metadata];
  const copied = recipe.type === undefined;
  const kept = all.filter(([key]) => !replaced.has(key) || (copied && key === "general.file_type"));
  kept.push(["general.quantization_version", typed("u32", 2)]);
  if (!copied) kept.push(["general.file_type", typed("u32", recipe.fileType)]);
  if (!importance || importance.values.size === 0) return kept;
  const { values, datasets, chunks } = importance;
  const own: [string, WritableValue][] = [
    ["quantize.imatrix.file", (importanceName ?? "").slice(0, longestNote)],
    ...datasets
      .slice(0, 1)
      .map((name): [string, WritableValue] => [
        "quantize.imatrix.dataset",
        name.slice(0, longestNote),
      ]),
    ["quantize.imatrix.entries_count", typed("u32", values.size)],
  ];
  if (chunks > 0) own.push(["quantize.imatrix.chunks_count", typed("u32", chunks)]);
  return [...kept.filter(([key]) => !own.some(([name]) => name === key)), ...own];
}

/** What is told while a file is written. */
export interface WriteProgress {
  /** Called when a tensor is begun. */
  readonly onTensor?: (tensor: PlannedTensor, number: number) => void;
  readonly importance?: Importance;
  readonly signal?: AbortSignal;
}

/** Writes one of a plan's files; resolves with its length in bytes. */
export function writePart(
  file: ModelFile,
  part: FilePart,
  sink: Sink,
  progress: WriteProgress = {},
): Promise<number> {
  return writeGguf(sink, {
    metadata: part.metadata,
    tensors: part.tensors.map((tensor, number) => ({
      name: tensor.from.name,
      type: tensor.type,
      shape: tensor.shape,
      data: () => {
        progress.onTensor?.(tensor, number);
        return pieces(file, tensor, progress);
      },
    })),
  });
}

/** Weights that are read at a time, or a row if it is longer. */
const chunk = 1 << 18;

/** A tensor's blocks, some rows at a time. */
async function* pieces(
  file: ModelFile,
  { from, type }: PlannedTensor,
  { importance, signal }: WriteProgress,
): AsyncGenerator<Uint8Array> {
  const source = file.sources[from.part];
  const [columns] = from.shape;
  const rows = from.elements / columns;
  const inMatrix = from.shape[1] ?? 1;
  const rowLength = rowBytes(from.type, columns);
  const all = from.type === type ? undefined : importance?.values.get(from.name);
  const fits = all?.length === columns * (from.shape[2] ?? 1);
  for (let row = 0; row < rows; ) {
    signal?.throwIfAborted();
    const matrix = Math.floor(row / inMatrix);
    const most = Math.max(1, Math.floor(chunk / columns));
    const count = Math.min(most, (matrix + 1) * inMatrix - row, rows - row);
    const bytes = await source.read(from.offset + row * rowLength, count * rowLength, signal);
    row += count;
    if (from.type.data) {
      yield bytes;
      continue;
    }
    const x = new Float32Array(count * columns);
    dequantize(from.type, bytes, x, x.length);
    checkWeights(from.name, x);
    if (from.type === type) {
      yield bytes;
      continue;
    }
    const out = new Uint8Array(count * rowBytes(type, columns));
    const at = (matrix % (from.shape[2] ?? 1)) * columns;
    quantizeRows(type, x, columns, out, fits ? all?.subarray(at, at + columns) : undefined);
    checkBlocks(from.name, type, out);
    yield out;
  }
}
