/** Reads what a GGUF file, or all parts of a split one, says about itself; never its tensor data. */
import { WebggufError } from "../base/errors.ts";
import type { ByteSource } from "../base/source.ts";
import type { ModelFile, TensorInfo } from "../file/types.ts";
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

const malformed = (part: Part, problem: string, key: string, expected: unknown, actual: unknown) =>
  new WebggufError("gguf/malformed", `Cannot read ${part.source.name}: ${problem}`, {
    file: part.source.name,
    key,
    expected,
    actual,
  });

const countOf = (part: Part): number => part.metadata.integer(splitKeys.count, 1, 1);
const numberOf = (part: Part): number => part.metadata.integer(splitKeys.no, 0);

/** The parts that were not given, opened by name; those already opened are closed when one fails. */
async function openOthers(first: Part, count: number, options: ReadOptions): Promise<Part[]> {
  const { open, signal, headerOnly = false } = options;
  const opened: ByteSource[] = [];
  const parts: Part[] = [];
  try {
    for (let no = 0; no < count; no++) {
      if (no === numberOf(first)) continue;
      const name = siblingName(first.source.name, no);
      if (!open || !name)
        throw malformed(
          first,
          `it is one of ${count} parts: give all of them, or the path of NAME-00001-of-${String(count).padStart(5, "0")}.gguf`,
          splitKeys.count,
          count,
          1,
        );
      opened.push(await open(name));
      parts.push(await readPart(opened[opened.length - 1], no, headerOnly, signal));
    }
    return parts;
  } catch (error) {
    await Promise.allSettled(opened.map((source) => source.close()));
    throw error;
  }
}

/** Parts in order; each number must be there once, and all must agree on how many they are. */
function inOrder(parts: readonly Part[]): Part[] {
  const ordered: Part[] = [];
  for (const part of parts) {
    const [no, count] = [numberOf(part), countOf(part)];
    if (count !== parts.length)
      throw malformed(
        part,
        `it is one of ${count} parts, but ${parts.length} are there`,
        splitKeys.count,
        parts.length,
        count,
      );
    if (no >= count || ordered[no])
      throw malformed(
        part,
        `it is part number ${no} (from 0) of ${count}, which ${no >= count ? "cannot be" : "is there already"}`,
        splitKeys.no,
        count - 1,
        no,
      );
    ordered[no] = part;
  }
  return ordered;
}

function join(parts: readonly Part[]): ModelFile {
  const [first] = parts;
  const tensors = new Map<string, TensorInfo>();
  parts.forEach((part, index) => {
    for (const tensor of part.tensors) {
      if (tensors.has(tensor.name))
        throw new WebggufError(
          "gguf/malformed",
          `Cannot read ${part.source.name}: tensor ${JSON.stringify(tensor.name)} stands in another part already`,
          { file: part.source.name, tensor: tensor.name },
        );
      tensors.set(tensor.name, tensor.part === index ? tensor : { ...tensor, part: index });
    }
  });
  const announced = first.metadata.integer(splitKeys.tensors, tensors.size);
  if (announced !== tensors.size)
    throw malformed(
      first,
      `its parts hold ${tensors.size} tensors, but ${announced} are announced`,
      splitKeys.tensors,
      announced,
      tensors.size,
    );
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
 * Where the format leaves a choice: a bool is 0 or 1 and nothing else; text must be UTF-8; tensors may
 * stand in any order and with gaps, but not over each other; the padding after the last one may be
 * missing; a tensor of no elements needs no data.
 *
 * The caller keeps the sources that it gave and closes them; those opened through `open` are in the
 * result's `sources` too, and are closed here if reading fails.
 */
export async function readGguf(
  source: ByteSource | readonly ByteSource[],
  options: ReadOptions = {},
): Promise<ModelFile> {
  const given = "read" in source ? [source] : source;
  if (given.length === 0)
    throw new WebggufError("input/invalid", "Cannot read a model from an empty list of files");
  const parts: Part[] = [];
  for (const [index, each] of given.entries())
    parts.push(await readPart(each, index, options.headerOnly ?? false, options.signal));
  const count = countOf(parts[0]);
  if (parts.length > 1 || count === 1) return join(inOrder(parts));
  const others = await openOthers(parts[0], count, options);
  try {
    return join(inOrder([...parts, ...others]));
  } catch (error) {
    await Promise.allSettled(others.map((part) => part.source.close()));
    throw error;
  }
}
