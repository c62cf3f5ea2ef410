/** Metadata values as GGUF stores them. */
import type { MetadataArray, MetadataValue } from "../file/metadata.ts";
import { arrayClasses, arrayId, type ScalarName, scalarByName, stringId } from "./values.ts";
import type { Bytes } from "./write-bytes.ts";

/** A scalar of a chosen width. */
export interface TypedValue {
  readonly type: ScalarName;
  readonly value: number | bigint | boolean;
}

/** A value as another file stores it: GGUF's id of its type, and its bytes. */
export interface RawValue {
  readonly id: number;
  readonly raw: Uint8Array;
}

/**
 * A number that is to be stored in a certain type: `typed("f32", 10000)`. Without it a number becomes
 * the first of u32, i32, u64, i64 that holds it, or an f32 when it is not whole.
 */
export function typed(type: ScalarName, value: number | bigint | boolean): TypedValue {
  return { type, value };
}

/** What can be written as a value. */
export type WritableValue = MetadataValue | TypedValue | RawValue;

const isTyped = (value: WritableValue): value is TypedValue =>
  typeof value === "object" && "type" in value && "value" in value;
const isRaw = (value: WritableValue): value is RawValue =>
  typeof value === "object" && "raw" in value;

function scalarType(value: number | bigint | boolean): ScalarName {
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number" && !Number.isInteger(value)) return "f32";
  if (value >= 0) return value <= 0xffffffff ? "u32" : "u64";
  return value >= -0x80000000 ? "i32" : "i64";
}

/** Element type of an array; an empty plain array counts as strings. */
function elementType(array: MetadataArray): ScalarName | "string" {
  if (Array.isArray(array)) return typeof array[0] === "boolean" ? "bool" : "string";
  const found = Object.entries(arrayClasses).find(([, type]) => array instanceof type);
  return found?.[0] as ScalarName;
}

/** GGUF's type id of a value. */
export function valueType(value: WritableValue): number {
  if (isRaw(value)) return value.id;
  if (typeof value === "string") return stringId;
  if (isTyped(value)) return scalarByName(value.type).id;
  if (typeof value === "object") return arrayId;
  return scalarByName(scalarType(value)).id;
}

/** Writes a value without its type; an array with its element type and count. */
export function writeValue(out: Bytes, value: WritableValue): void {
  if (isRaw(value)) out.raw(value.raw);
  else if (typeof value === "string") out.string(value);
  else if (isTyped(value)) out.scalar(value.type, value.value);
  else if (typeof value !== "object") out.scalar(scalarType(value), value);
  else writeArray(out, value);
}

function writeArray(out: Bytes, array: MetadataArray): void {
  const type = elementType(array);
  out.scalar("u32", type === "string" ? stringId : scalarByName(type).id);
  out.scalar("u64", array.length);
  for (const element of array) {
    if (typeof element === "string") out.string(element);
    else out.scalar(type as ScalarName, element);
  }
}
