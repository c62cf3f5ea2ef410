/** Reads the header of one file: magic, version, counts, metadata, tensor table. */
import type { ByteSource } from "../base/source.ts";
import { quoted } from "../base/text.ts";
import { Metadata } from "../file/metadata.ts";
import { Cursor } from "./cursor.ts";
import { lookedAt, otherFile } from "./other-files.ts";
import { mostPairs, readPairs, smallestPair } from "./read-metadata.ts";
import { mostTensors, readTensors, smallestEntry, type TensorTable } from "./read-tensors.ts";

/** One file of a model. */
export interface Part extends TensorTable {
  readonly source: ByteSource;
  readonly version: number;
  readonly alignment: number;
  readonly metadata: Metadata;
}

const magic = "GGUF";
const defaultAlignment = 32;

async function readMagic(cursor: Cursor): Promise<void> {
  await cursor.fill(4, "the first four bytes");
  const kind = otherFile(cursor.letters(lookedAt));
  const found = String.fromCharCode(...cursor.take(4));
  if (found === magic) return;
  throw cursor.error(
    "gguf/malformed",
    `it starts with ${quoted(found)}, not with "GGUF"${kind ? `; it looks like ${kind}` : ""}`,
    0,
    { expected: magic, actual: found },
  );
}

async function readVersion(cursor: Cursor): Promise<number> {
  const offset = cursor.offset;
  await cursor.fill(4, "the version");
  const version = cursor.u32();
  if (version === 2 || version === 3) return version;
  // A version whose low half is empty was written by a big-endian machine.
  const bigEndian = version !== 0 && (version & 0xffff) === 0;
  const problem = bigEndian
    ? "it is a big-endian file: convert it to little-endian"
    : `it is of GGUF version ${version}; versions 2 and 3 can be read`;
  throw cursor.error(version ? "gguf/unsupported" : "gguf/malformed", problem, offset, {
    expected: [2, 3],
    actual: version,
  });
}

/** A count that must be possible with the bytes that are left in the file. */
async function readCount(cursor: Cursor, what: string): Promise<{ count: number; at: number }> {
  await cursor.fill(8, `the number of ${what}`);
  const at = cursor.offset;
  return { count: cursor.size(), at };
}

function checkCount(
  cursor: Cursor,
  { count, at }: { count: number; at: number },
  each: number,
  limit: number,
  what: string,
): void {
  const most = Math.min(limit, Math.floor(cursor.left / each));
  if (count > most)
    throw cursor.error(
      "gguf/malformed",
      `it announces ${count} ${what}, at most ${most} can be`,
      at,
      { expected: most, actual: count },
    );
}

function alignmentOf(cursor: Cursor, metadata: Metadata): number {
  const key = "general.alignment";
  const alignment = metadata.number(key, defaultAlignment);
  if (alignment > 0 && Number.isInteger(Math.log2(alignment))) return alignment;
  throw cursor.error(
    "gguf/malformed",
    `${key} is ${alignment}, which is no power of two`,
    cursor.offset,
    { key, expected: "a power of two", actual: alignment },
  );
}

/** Reads one header; `part` is the file's place among the sources of a split model. */
export async function readPart(
  source: ByteSource,
  part: number,
  headerOnly: boolean,
  signal?: AbortSignal,
): Promise<Part> {
  signal?.throwIfAborted();
  const cursor = new Cursor(source, signal);
  if (source.size > Number.MAX_SAFE_INTEGER)
    throw cursor.error("gguf/unsupported", `it has ${source.size} bytes, more than 2^53`, 0);
  await readMagic(cursor);
  const version = await readVersion(cursor);
  const tensors = await readCount(cursor, "tensors");
  const pairs = await readCount(cursor, "metadata keys");
  checkCount(cursor, tensors, smallestEntry, mostTensors, "tensors");
  checkCount(cursor, pairs, smallestPair, mostPairs, "metadata keys");
  const metadata = new Metadata(source.name, await readPairs(cursor, pairs.count));
  const alignment = alignmentOf(cursor, metadata);
  const table = await readTensors(cursor, tensors.count, alignment, part, headerOnly);
  return { source, version, alignment, metadata, ...table };
}
