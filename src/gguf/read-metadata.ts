/** Reads the key/value pairs of a GGUF header. */
import { quoted } from "../base/text.ts";
import type { MetadataArray, MetadataValue } from "../file/metadata.ts";
import type { Cursor } from "./cursor.ts";
import { arrayClasses, arrayId, type ScalarType, scalarById, stringId } from "./values.ts";

/** Key length, type and the shortest value: what a pair takes at least. */
export const smallestPair: number = 8 + 1 + 4 + 1;
/** Far more than any file has: each takes much more memory than its bytes in the file. */
export const mostPairs: number = 1 << 16;

const longestKey = 0xffff;
/** Far beyond any vocabulary or template; keeps a hostile file from filling memory with one value. */
const longestString = 64 * 1024 * 1024;
const longestArray = 64 * 1024 * 1024;

/** A string's length, checked against the file, then its text. */
export async function readString(
  cursor: Cursor,
  what: string,
  longest: number = longestString,
): Promise<string> {
  if (cursor.buffered < 8) await cursor.fill(8, what);
  const offset = cursor.offset;
  const length = cursor.size();
  if (length > cursor.left || length > longest)
    throw cursor.error(
      "gguf/malformed",
      `${what} announces ${length} bytes, at most ${Math.min(longest, cursor.left)} can be`,
      offset,
      { expected: Math.min(longest, cursor.left), actual: length },
    );
  if (cursor.buffered < length) await cursor.fill(length, what);
  return cursor.text(length);
}

/** 64-bit integers become numbers where that loses nothing. */
const narrow = (value: bigint): number | bigint =>
  BigInt.asIntN(54, value) === value ? Number(value) : value;

function readScalar(cursor: Cursor, type: ScalarType, what: string): MetadataValue {
  switch (type.name) {
    case "bool": {
      const offset = cursor.offset;
      const byte = cursor.u8();
      if (byte > 1)
        throw cursor.error("gguf/malformed", `${what} is a bool of ${byte}, not 0 or 1`, offset, {
          expected: "0 or 1",
          actual: byte,
        });
      return byte === 1;
    }
    case "u64":
    case "i64":
      return narrow(cursor[type.name]());
    default:
      return cursor[type.name]();
  }
}

function unknownType(cursor: Cursor, id: number, offset: number, key: string): never {
  throw cursor.error(
    "gguf/malformed",
    `metadata key ${quoted(key)} has the unknown value type ${id}`,
    offset,
    { key, actual: id },
  );
}

async function readArray(cursor: Cursor, key: string, what: string): Promise<MetadataArray> {
  if (cursor.buffered < 12) await cursor.fill(12, what);
  const offset = cursor.offset;
  const id = cursor.u32();
  const type = scalarById(id);
  if (id === arrayId)
    throw cursor.error("gguf/unsupported", `${what} is an array of arrays`, offset, { key });
  if (!type && id !== stringId) return unknownType(cursor, id, offset, key);
  const countOffset = cursor.offset;
  const count = cursor.size();
  const most = Math.min(longestArray, Math.floor(cursor.left / (type?.bytes ?? 8)));
  if (count > most)
    throw cursor.error(
      "gguf/malformed",
      `${what} announces ${count} elements, at most ${most} can be`,
      countOffset,
      { key, expected: most, actual: count },
    );
  if (!type) {
    const strings: string[] = [];
    // Only those that are not buffered are waited for: there may be millions.
    for (let i = 0; i < count; i++)
      strings.push(cursor.string() ?? (await readString(cursor, what)));
    return Object.freeze(strings);
  }
  if (type.name === "bool") {
    const booleans: boolean[] = [];
    for (let i = 0; i < count; i++) {
      if (cursor.buffered < 1) await cursor.fill(1, what);
      booleans.push(readScalar(cursor, type, what) as boolean);
    }
    return Object.freeze(booleans);
  }
  await cursor.fill(count * type.bytes, what);
  // A copy of its own: aligned for the typed array, and not holding the whole piece in memory.
  return new arrayClasses[type.name](cursor.take(count * type.bytes).buffer);
}

/** Reads one pair's value; `what` names it in messages. */
async function readValue(cursor: Cursor, key: string): Promise<MetadataValue> {
  const what = `metadata key ${quoted(key)}`;
  if (cursor.buffered < 4) await cursor.fill(4, what);
  const offset = cursor.offset;
  const id = cursor.u32();
  const type = scalarById(id);
  if (key === "general.alignment" && type?.name !== "u32")
    throw cursor.error("gguf/malformed", "general.alignment is not stored as uint32", offset, {
      key,
      expected: "uint32",
      actual: id,
    });
  if (id === stringId) return readString(cursor, what);
  if (id === arrayId) return readArray(cursor, key, what);
  if (!type) return unknownType(cursor, id, offset, key);
  await cursor.fill(type.bytes, what);
  return readScalar(cursor, type, what);
}

/** Reads `count` pairs; a key must be unique and not empty. */
export async function readPairs(
  cursor: Cursor,
  count: number,
): Promise<Map<string, MetadataValue>> {
  const pairs = new Map<string, MetadataValue>();
  for (let i = 0; i < count; i++) {
    const offset = cursor.offset;
    const key = await readString(cursor, `the name of metadata key ${i}`, longestKey);
    if (key === "") throw cursor.error("gguf/malformed", `metadata key ${i} is empty`, offset);
    if (pairs.has(key))
      throw cursor.error("gguf/malformed", `metadata key ${quoted(key)} stands twice`, offset, {
        key,
      });
    pairs.set(key, await readValue(cursor, key));
  }
  return pairs;
}
