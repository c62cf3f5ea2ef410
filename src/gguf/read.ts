/** Reads what a GGUF file, or all parts of a split one, says about itself; never its tensor data. */
import { WebggufError } from "../base/errors.ts";
import {
  callback,
  checkOptions,
  flag,
  listOf,
  type Rules,
  signal as signalRule,
} from "../base/options.ts";
import { type ByteSource, byteSource } from "../base/source.ts";
import { quoted } from "../base/text.ts";
import type { ModelFile, TensorInfo } from "../file/types.ts";
import { malformed, numberOf, Parts } from "./parts.ts";
import { type Part, readPart } from "./read-part.ts";
import { siblingName, splitKeys } from "./split.ts";

export interface ReadOptions {
  /** Stops reading; the call then throws `signal.reason`. */
  signal?: AbortSignal;
  /**
   * Opens another part of a split model by its name, which is the first source's name with another
   * number. Without it, all parts must be given.
   */
  open?: (name: string) => Promise<ByteSource>;
  /** Accept a file whose tensor data is missing, for looking at headers alone. Default false. */
  headerOnly?: boolean;
}

const readRules: Rules<ReadOptions> = { signal: signalRule, open: callback, headerOnly: flag };

/** Opens by their names, if they have such, the parts that were not given, and adds each before the next is opened. */
async function addOthers(
  parts: Parts,
  first: Part,
  opened: ByteSource[],
  { open, signal, headerOnly = false }: ReadOptions,
): Promise<void> {
  for (let no = 0; no < parts.count; no++) {
    if (no === numberOf(first)) continue;
    const name = siblingName(first.source.name, no);
    if (!open || !name) return;
    const source = await open(name);
    opened.push(source);
    const part = await readPart(source, no, headerOnly, signal);
    if (numberOf(part) !== no)
      throw malformed(
        part,
        `it is part number ${numberOf(part)} (from 0) under the name of number ${no}`,
        splitKeys.no,
        no,
        numberOf(part),
      );
    parts.add(part);
  }
}

function join(parts: readonly Part[]): ModelFile {
  const [first] = parts;
  const tensors = new Map<string, TensorInfo>();
  parts.forEach((part, index) => {
    for (const tensor of part.tensors) {
      if (tensors.has(tensor.name))
        throw new WebggufError(
          "gguf/malformed",
          `Cannot read ${part.source.name}: tensor ${quoted(tensor.name)} stands in another part already`,
          { file: part.source.name, tensor: tensor.name },
        );
      tensors.set(tensor.name, tensor.part === index ? tensor : { ...tensor, part: index });
    }
  });
  return Object.freeze({
    name: first.source.name,
    version: first.version,
    alignment: first.alignment,
    metadata: first.metadata,
    tensors,
    dataOffsets: Object.freeze(parts.map((part) => part.dataOffset)),
    sources: Object.freeze(parts.map((part) => part.source)),
  });
}

/**
 * Reads the header of a GGUF file of version 2 or 3 (or of all parts of a split one, in any order).
 * Everything is checked against the file's size before memory is taken for it; what is wrong throws
 * `gguf/malformed` or `gguf/unsupported` with the byte offset.
 *
 * Where the format leaves a choice: a bool is 0 or 1 and nothing else; bytes of values that are not UTF-8
 * become U+FFFD; tensors may stand in any order and with gaps, but not over each other; the padding after the last one may be
 * missing; a tensor of no elements needs no data.
 *
 * The caller keeps the sources that it gave and closes them; those opened through `open` are in the
 * result's `sources` too, and are closed here if reading fails.
 */
export async function readGguf(
  source: ByteSource | readonly ByteSource[],
  options: ReadOptions = {},
): Promise<ModelFile> {
  checkOptions(options, readRules);
  const given = Array.isArray(source) ? source : [source];
  listOf(byteSource)(given, "the model");
  const { headerOnly = false, signal } = options;
  if (given.length === 0)
    throw new WebggufError("input/invalid", "Cannot read a model from an empty list of files");
  const first = await readPart(given[0], 0, headerOnly, signal);
  const parts = new Parts(first);
  parts.add(first);
  for (let i = 1; i < given.length; i++) parts.add(await readPart(given[i], i, headerOnly, signal));
  const opened: ByteSource[] = [];
  try {
    if (given.length === 1 && parts.count > 1) await addOthers(parts, first, opened, options);
    return join(parts.all());
  } catch (error) {
    await Promise.allSettled(opened.map((source) => source.close()));
    throw error;
  }
}
