/** Reads the tensor table of a GGUF header and checks it against the file. */
import { quoted } from "../base/text.ts";
import { quantById, quants, rowBytes } from "../file/quants.ts";
import type { TensorInfo } from "../file/types.ts";
import type { Cursor } from "./cursor.ts";
import { readString } from "./read-metadata.ts";

/** Name length, dimension count, type and offset: what an entry takes at least. */
export const smallestEntry: number = 8 + 4 + 4 + 8;
/** More than any model has, with tensors of their own for each expert too; bounds the table's memory. */
export const mostTensors: number = 1 << 16;

const longestName = 63;
const mostDimensions = 4;

/** An entry as it stands in the file: its offset counts from the start of the tensor data. */
interface Entry {
  readonly info: Omit<TensorInfo, "offset" | "part">;
  readonly relative: number;
  /** Where in the header the offset stands, for messages. */
  readonly at: number;
}

async function readEntry(cursor: Cursor, index: number): Promise<Entry> {
  const nameOffset = cursor.offset;
  const name = await readString(cursor, `the name of tensor ${index}`, longestName);
  const what = `tensor ${quoted(name)}`;
  const refuse = (problem: string, offset: number, expected: unknown, actual: unknown) =>
    cursor.error("gguf/malformed", `${what} ${problem}`, offset, {
      tensor: name,
      expected,
      actual,
    });
  if (name.includes("\0")) throw refuse("has a zero byte in its name", nameOffset, "text", name);
  if (name.includes("\ufffd"))
    throw refuse("has a name that is not UTF-8", nameOffset, "text", name);

  if (cursor.buffered < 4) await cursor.fill(4, what);
  const dimensionsOffset = cursor.offset;
  const dimensions = cursor.u32();
  if (dimensions > mostDimensions)
    throw refuse(
      `has ${dimensions} dimensions, at most ${mostDimensions} can be`,
      dimensionsOffset,
      mostDimensions,
      dimensions,
    );
  await cursor.fill(dimensions * 8 + 12, what);
  const shapeOffset = cursor.offset;
  const shape = Array.from({ length: dimensions }, () => cursor.size());
  // Zeros are left out of the product, so that an empty tensor cannot hide an absurd dimension.
  const extent = shape.reduce((product, length) => product * (length || 1), 1);
  if (extent > Number.MAX_SAFE_INTEGER)
    throw refuse(
      "has more elements than can be counted",
      shapeOffset,
      Number.MAX_SAFE_INTEGER,
      extent,
    );
  const elements = shape.includes(0) ? 0 : extent;

  const typeOffset = cursor.offset;
  const id = cursor.u32();
  const type = quantById(id);
  if (!type)
    throw cursor.error(
      "gguf/unsupported",
      `${what} has the type id ${id}, which is none of ${quants.map((known) => known.name).join(" ")}`,
      typeOffset,
      { tensor: name, expected: quants.map((known) => known.id), actual: id },
    );
  const row = shape[0] ?? 1;
  if (row % type.elements !== 0)
    throw refuse(
      `has rows of ${row}, which is no multiple of the ${type.elements} elements of a ${type.name} block`,
      shapeOffset,
      type.elements,
      row,
    );
  const bytes = rowBytes(type, elements);
  if (bytes > Number.MAX_SAFE_INTEGER)
    throw refuse("is larger than any file", shapeOffset, Number.MAX_SAFE_INTEGER, bytes);

  const at = cursor.offset;
  const info = { name, type, shape: Object.freeze(shape), elements, bytes };
  return { info, relative: cursor.size(), at };
}

/** Refuses data that lies off the alignment, past the end of the file or over other data. */
function checkPlaces(
  cursor: Cursor,
  entries: readonly Entry[],
  start: number,
  alignment: number,
  headerOnly: boolean,
): void {
  const size = cursor.source.size;
  for (const { info, relative, at } of entries) {
    const refuse = (problem: string, expected: unknown, actual: unknown) =>
      cursor.error("gguf/malformed", `tensor ${quoted(info.name)} ${problem}`, at, {
        tensor: info.name,
        expected,
        actual,
      });
    if (relative % alignment !== 0)
      throw refuse(
        `starts at ${relative}, which is no multiple of the alignment ${alignment}`,
        alignment,
        relative,
      );
    const end = start + relative + info.bytes;
    if (!(end <= Number.MAX_SAFE_INTEGER))
      throw refuse(`ends past 2^53 bytes`, Number.MAX_SAFE_INTEGER, end);
    if (!headerOnly && info.bytes > 0 && end > size)
      throw refuse(
        `ends at byte ${end} of a file of ${size}, it may be cut off: fetch it again`,
        size,
        end,
      );
  }
  const placed = entries.filter(({ info }) => info.bytes > 0);
  placed.sort((a, b) => a.relative - b.relative);
  for (let i = 1; i < placed.length; i++) {
    const [before, after] = [placed[i - 1], placed[i]];
    if (before.relative + before.info.bytes > after.relative)
      throw cursor.error(
        "gguf/malformed",
        `tensors ${quoted(before.info.name)} and ${quoted(after.info.name)} overlap`,
        after.at,
        {
          tensor: after.info.name,
          expected: before.relative + before.info.bytes,
          actual: after.relative,
        },
      );
  }
}

/** What the tensor table says, and where the data after it starts. */
export interface TensorTable {
  readonly tensors: readonly TensorInfo[];
  readonly dataOffset: number;
}

/** Reads `count` entries; with `headerOnly` the data itself need not be in the file. */
export async function readTensors(
  cursor: Cursor,
  count: number,
  alignment: number,
  part: number,
  headerOnly: boolean,
): Promise<TensorTable> {
  const entries: Entry[] = [];
  const names = new Set<string>();
  for (let i = 0; i < count; i++) {
    const offset = cursor.offset;
    const entry = await readEntry(cursor, i);
    const { name } = entry.info;
    if (names.has(name))
      throw cursor.error("gguf/malformed", `tensor ${quoted(name)} stands twice`, offset, {
        tensor: name,
      });
    names.add(name);
    entries.push(entry);
  }
  const dataOffset = Math.ceil(cursor.offset / alignment) * alignment;
  checkPlaces(cursor, entries, dataOffset, alignment, headerOnly);
  const tensors = entries.map(({ info, relative }) =>
    Object.freeze({ ...info, offset: dataOffset + relative, part }),
  );
  return { tensors, dataOffset };
}
