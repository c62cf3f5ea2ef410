/** Importance matrices, as llama-imatrix computes them. */
import { WebggufError } from "../base/errors.ts";
import {
  callback,
  checkOptions,
  flag,
  oneOf,
  type Rules,
  text as textRule,
  whole,
} from "../base/options.ts";
import { buildGraph } from "../models/index.ts";
import type { ImportanceEntry, ImportanceFile } from "../quantize/importance.ts";
import type { ImportanceStatistics } from "../quantize/importance-files.ts";
import { openExecutor } from "../session/open.ts";
import { loadRules } from "../session/options.ts";
import { closeFile, openFile, openSource } from "../session/source.ts";
import { modelPart } from "../session/source-rules.ts";
import type { LoadOptions, ModelPart, ModelSource } from "../session/types.ts";
import { createTokenizer } from "../tokenizer/tokenizer.ts";
import { Squares, tapGraph } from "./taps.ts";

export type { ImportanceEntry, ImportanceFile, ImportanceStatistics };

export interface ImatrixOptions
  extends Omit<LoadOptions, "contextLength" | "maxSequences" | "draft" | "draftModel"> {
  /** Tokens of a chunk. @default 512, or the model's context if that is shorter */
  context?: number;
  /** Chunks that are left out at the beginning. @default 0 */
  fromChunk?: number;
  /** Chunks at most. @default all */
  chunks?: number;
  /** Collects the inputs of `output.weight` too. @default false */
  processOutput?: boolean;
  /** Reads special tokens in the text. @default false */
  parseSpecial?: boolean;
  /** What the file says that the text is called. @default "text" */
  dataset?: string;
  /** After each chunk: how many are done, of how many. */
  onChunk?: (done: number, chunks: number) => void;
}

const { contextLength: _, maxSequences: __, ...loading } = loadRules;
const rules = {
  ...loading,
  ...{ context: whole(0), fromChunk: whole(0), chunks: whole(1), processOutput: flag },
  ...{ parseSpecial: flag, dataset: textRule, onChunk: callback },
} as Rules<ImatrixOptions>;

/** Bytes of inputs that are computed at once, beyond which a step has fewer rows. */
const mostBytes = 128 * 2 ** 20;

/**
 * Runs a model over a text and sums the squares of what its matrices are given: how much an error in each column of
 * weights matters. The text is cut into chunks of `context` tokens (a rest is dropped), each computed alone, its first
 * token being BOS where the model adds one. Experts are counted each by themselves. What comes back can be written by
 * `writeImatrix` and read by `quantize`.
 */
export async function imatrix(
  model: ModelSource,
  text: string,
  options: ImatrixOptions = {},
): Promise<ImportanceFile> {
  checkOptions(options, rules);
  textRule(text, "the text");
  const { signal, onNotice, processOutput = false, parseSpecial = false } = options;
  const file = await openFile(model, { signal, onNotice });
  try {
    const tokenizer = createTokenizer(file.metadata);
    const trained = buildGraph(file, { contextLength: 512 }).trainedContext;
    const context = options.context || Math.min(512, trained);
    whole(16)(context, "context");
    const graph = buildGraph(file, { contextLength: context });
    const tapped = tapGraph(
      graph,
      (weight) => weight.startsWith("blk.") || (processOutput && weight === "output.weight"),
    );
    if (!tapped)
      throw new WebggufError(
        "model/unsupported",
        `Cannot compute importance of ${file.name}: it has no matrices in layers`,
        { file: file.name },
      );
    const first = (options.fromChunk ?? 0) * context;
    const ids = tokenizer.encode(text, { addSpecial: true, parseSpecial }).slice(first);
    if (ids.length < 2 * context)
      throw new WebggufError(
        "input/invalid",
        `Cannot compute importance at a context of ${context}: the text has ${ids.length} tokens; give at least ${2 * context}`,
        { expected: 2 * context, actual: ids.length },
      );
    const chunks = Math.min(
      options.chunks ?? Number.POSITIVE_INFINITY,
      Math.floor(ids.length / context),
    );
    const rows = Math.max(16, Math.floor(mostBytes / (4 * tapped.width)));
    const { executor, dispose } = await openExecutor(tapped.graph, file, {
      ...options,
      contextLength: context,
      maxSequences: 1,
      ...((options.chunk ?? 512) > rows && { chunk: rows }),
    });
    const squares = new Squares(tapped);
    try {
      // A request is one result: as many rows as are held at once, unless all must come together.
      const step = executor.causal ? Math.min(rows, context) : context;
      for (let chunk = 0; chunk < chunks; chunk++) {
        const tokens = Array.from(ids.slice(chunk * context, (chunk + 1) * context));
        if (tokenizer.addBos && tokenizer.bos !== undefined) tokens[0] = tokenizer.bos;
        executor.rewind(0, 0);
        for (let at = 0; at < context; at += step) {
          const input = tokens.slice(at, at + step);
          const [result] = await executor.step(
            [{ sequence: 0, input, outputs: "all", read: true, prompt: true }],
            signal,
          );
          squares.add(result.rows);
        }
        options.onChunk?.(chunk + 1, chunks);
      }
    } finally {
      await dispose();
    }
    const entries = squares.entries();
    for (const [tensor, { sums }] of entries)
      if (!sums.every(Number.isFinite))
        throw new WebggufError(
          "model/invalid",
          `Cannot compute importance of ${file.name}: inputs of ${tensor} are not finite`,
          { file: file.name, tensor },
        );
    return { entries, datasets: [options.dataset ?? "text"], chunks, chunkSize: context };
  } finally {
    await closeFile(file);
  }
}

/** Reads an importance matrix: a GGUF file, or an older `.dat`. */
export async function readImatrix(
  source: ModelPart,
  signal?: AbortSignal,
): Promise<ImportanceFile> {
  modelPart(source, "the importance matrix");
  const { readImportance } = await import("../quantize/index.ts");
  const opened = await openSource(source, { signal });
  try {
    return await readImportance(opened, signal);
  } finally {
    await opened.close();
  }
}

/**
 * Several matrices as one, as if all texts had been one. `chunkSize` is the tokens of a chunk: of the result, and of
 * those that do not say it, as `.dat` files. Matrices of other models are `input/invalid`.
 */
export async function joinImatrix(
  files: readonly ImportanceFile[],
  chunkSize: number,
): Promise<ImportanceFile> {
  whole(1)(chunkSize, "the chunk size");
  return (await import("../quantize/index.ts")).joinImportance(files, chunkSize);
}

/** An importance matrix as the bytes of a file that llama.cpp reads: GGUF, or the older `.dat`. */
export async function writeImatrix(
  file: ImportanceFile,
  format: "gguf" | "dat" = "gguf",
): Promise<Uint8Array> {
  oneOf("gguf", "dat")(format, "the format");
  const { importanceDat, importanceGguf } = await import("../quantize/index.ts");
  return format === "dat" ? importanceDat(file) : importanceGguf(file);
}

/** Figures of each tensor, those with the largest sums first. */
export async function imatrixStatistics(
  file: ImportanceFile,
): Promise<readonly ImportanceStatistics[]> {
  return (await import("../quantize/index.ts")).importanceStatistics(file);
}
