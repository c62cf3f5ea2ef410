/** Quantises model files, as llama-quantize does. */
import { WebggufError } from "../base/errors.ts";
import {
  callback,
  checkOptions,
  flag,
  listOf,
  type Rule,
  type Rules,
  rule,
  signal,
  text,
} from "../base/options.ts";
import { quoted } from "../base/text.ts";
import { type QuantType, quantByName } from "../file/quants.ts";
import type { ModelFile } from "../file/types.ts";
import { splitName } from "../gguf/split.ts";
import type { Importance, PlannedTensor } from "../quantize/index.ts";
import { closeFile, openFile, openSource } from "../session/source.ts";
import { gettingRules, modelPart, modelSource } from "../session/source-rules.ts";
import type { ModelPart, ModelSource, SourceOptions } from "../session/types.ts";
import { type OutputSink, samePlace, writeOutput } from "./output.ts";

export interface QuantizeOptions extends Omit<SourceOptions, "headerOnly"> {
  /**
   * Where the file goes: a path (Node and Deno; the file stands there only when it is whole), or a function that takes
   * its bytes in order. Without it nothing is written: the report tells what would be.
   */
  output?: string | OutputSink;
  /** An importance matrix: a GGUF file or `.dat` of llama-imatrix or `webgguf imatrix`. */
  imatrix?: ModelPart;
  /** Uses importance only for tensors whose names have one of these in them. */
  includeWeights?: readonly string[];
  /** Uses no importance for tensors whose names have one of these in them. */
  excludeWeights?: readonly string[];
  /** All matrices get the same type. @default false */
  pure?: boolean;
  /** Leaves `output.weight` as it is. @default false */
  leaveOutputTensor?: boolean;
  /** Type of `output.weight`, or of the token embeddings where they are the output. */
  outputTensorType?: string;
  /** Type of the token embeddings. */
  tokenEmbeddingType?: string;
  /** Regular expressions with the types of tensors in whose names they are found; the first one counts. */
  tensorTypes?: readonly (readonly [pattern: string, type: string])[];
  /** Allows tensors that are quantised already to be quantised again. @default false */
  allowRequantize?: boolean;
  /** Writes as many files as the model has, `NAME-00001-of-0000N.gguf`. @default false: one */
  keepSplit?: boolean;
  /** Called when a tensor is begun, in the order of the file. */
  onTensor?: (tensor: QuantizedTensor, number: number, count: number) => void;
}

/** What becomes of a tensor. */
export interface QuantizedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly from: string;
  readonly to: string;
  /** The type that the recipe meant, where rows do not fit its blocks. */
  readonly insteadOf?: string;
  readonly bytesBefore: number;
  readonly bytes: number;
  /** Whether its type needs importance. */
  readonly needsImportance: boolean;
}

export interface QuantizeReport {
  /** llama.cpp's name of the recipe. */
  readonly type: string;
  readonly tensors: readonly QuantizedTensor[];
  readonly parameters: number;
  /** Of all tensors. */
  readonly bytesBefore: number;
  readonly bytes: number;
  /** Paths of what was written. */
  readonly files: readonly string[];
}

const pair: Rule<readonly [string, string]> = rule(
  "a pattern with a type",
  (value) =>
    Array.isArray(value) && value.length === 2 && value.every((one) => typeof one === "string"),
);
const output: Rule<string | OutputSink> = rule(
  "a path, or a function that takes bytes",
  (value) => typeof value === "function" || (typeof value === "string" && value.trim() !== ""),
);

const rules: Rules<QuantizeOptions> = {
  ...gettingRules,
  ...{ output, imatrix: modelPart, includeWeights: listOf(text), excludeWeights: listOf(text) },
  ...{ pure: flag, leaveOutputTensor: flag, outputTensorType: text, tokenEmbeddingType: text },
  ...{ tensorTypes: listOf(pair), allowRequantize: flag, keepSplit: flag, onTensor: callback },
  signal,
};

function typeOf(name: string): QuantType {
  const type = quantByName(name);
  if (type && !type.data) return type;
  throw new WebggufError(
    "input/invalid",
    `Cannot quantise to ${quoted(name)}: there is no such tensor type`,
    {
      actual: name,
    },
  );
}

const told = ({
  from,
  type,
  shape,
  bytes,
  insteadOf,
  needsImportance,
}: PlannedTensor): QuantizedTensor => ({
  name: from.name,
  shape,
  from: from.type.name,
  to: type.name,
  ...(insteadOf && { insteadOf: insteadOf.name }),
  bytesBefore: from.bytes,
  bytes,
  needsImportance,
});

/**
 * Quantises a model: every tensor gets the type that llama-quantize's recipe `type` (`Q4_K_M`, `IQ4_XS`, `F16` …, in any
 * case) gives it, with the same bytes, and the metadata stays as it is. Tensors are read, quantised and written some
 * rows at a time. What cannot be done throws before anything is written: `input/invalid` for types that need importance
 * and rows that no block fits, `model/invalid` (later) for weights that are no numbers.
 */
export async function quantize(
  model: ModelSource,
  type: string,
  options: QuantizeOptions = {},
): Promise<QuantizeReport> {
  checkOptions(options, rules);
  modelSource(model, "the model");
  text(type, "the type");
  if (options.includeWeights && options.excludeWeights)
    throw new WebggufError(
      "input/invalid",
      "Cannot both include and exclude weights of the importance matrix; give one of them",
    );
  const parts = await import("../quantize/index.ts");
  const recipe = parts.recipeOf(type);
  const { output: place, onTensor, signal: stop } = options;
  const importance = await importanceFor(options, parts);
  const file = await openFile(model, gettingOf(options));
  try {
    const plan = await parts.planFile(file, recipe, {
      importance,
      importanceName: nameOf(options.imatrix),
      leaveOutput: options.leaveOutputTensor,
      pure: options.pure,
      ...(options.outputTensorType && { outputType: typeOf(options.outputTensorType) }),
      ...(options.tokenEmbeddingType && { embeddingType: typeOf(options.tokenEmbeddingType) }),
      tensorTypes: options.tensorTypes?.map(([pattern, name]) => [pattern, typeOf(name)] as const),
      allowRequantize: options.allowRequantize,
      keepSplit: options.keepSplit,
      dryRun: place === undefined,
      signal: stop,
    });
    const files: string[] = [];
    const count = plan.parts.length;
    if (typeof place === "function" && count > 1)
      throw new WebggufError(
        "input/invalid",
        `Cannot give ${count} files to one function; give a path`,
      );
    let begun = 0;
    for (const [no, part] of plan.parts.entries()) {
      const first = begun;
      begun += part.tensors.length;
      const write = (sink: OutputSink): Promise<number> =>
        parts.writePart(file, part, sink, {
          importance,
          signal: stop,
          onTensor: (tensor, number) =>
            onTensor?.(told(tensor), first + number, plan.tensors.length),
        });
      if (typeof place === "function") await write(place);
      else if (place !== undefined) {
        const path = options.keepSplit
          ? splitName(place.replace(/\.gguf$/i, ""), no, count)
          : place;
        await refuseSelf(path, file);
        await writeOutput(path, write);
        files.push(path);
      }
    }
    const sum = (of: (tensor: PlannedTensor) => number): number =>
      plan.tensors.reduce((all, tensor) => all + of(tensor), 0);
    return {
      type: recipe.name,
      tensors: plan.tensors.map(told),
      parameters: sum(({ from }) => from.elements),
      bytesBefore: sum(({ from }) => from.bytes),
      bytes: sum(({ bytes }) => bytes),
      files,
    };
  } finally {
    await closeFile(file);
  }
}

function gettingOf(options: QuantizeOptions): SourceOptions {
  const names = Object.keys(gettingRules) as (keyof typeof gettingRules)[];
  return Object.fromEntries(
    names.map((name) => [name, options[name]]).filter(([, value]) => value !== undefined),
  );
}

async function importanceFor(
  { imatrix, includeWeights, excludeWeights, signal: stop, ...options }: QuantizeOptions,
  { importanceOf, readImportance }: typeof import("../quantize/index.ts"),
): Promise<Importance | undefined> {
  if (imatrix === undefined) return undefined;
  const source = await openSource(imatrix, gettingOf({ ...options, signal: stop }));
  try {
    const has = (name: string, words: readonly string[]): boolean =>
      words.some((word) => name.includes(word));
    return importanceOf(
      await readImportance(source, stop),
      (name) =>
        !(includeWeights && !has(name, includeWeights)) &&
        !(excludeWeights && has(name, excludeWeights)),
    );
  } finally {
    await source.close();
  }
}

/** What the file's metadata calls the importance matrix. */
const nameOf = (imatrix: ModelPart | undefined): string =>
  typeof imatrix === "string"
    ? imatrix
    : String((imatrix as { name?: string } | undefined)?.name ?? "");

/** Refuses to write over what is being read. */
async function refuseSelf(path: string, file: ModelFile): Promise<void> {
  for (const { name } of file.sources)
    if (await samePlace(path, name))
      throw new WebggufError(
        "input/invalid",
        `Cannot write ${path}: the model is read from there; choose another name`,
        { file: path },
      );
}
