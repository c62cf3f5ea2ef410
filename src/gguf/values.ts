/** The value types of GGUF metadata: ids, widths and the typed array that an array of each becomes. */
import type { MetadataArray } from "../file/metadata.ts";

/** Names of the scalar types, in the order of their ids. */
export type ScalarName =
  | "u8"
  | "i8"
  | "u16"
  | "i16"
  | "u32"
  | "i32"
  | "f32"
  | "bool"
  | "u64"
  | "i64"
  | "f64";

export interface ScalarType {
  readonly name: ScalarName;
  /** GGUF's value type id. */
  readonly id: number;
  readonly bytes: number;
}

/** GGUF's id of a string value. */
export const stringId = 8;
/** GGUF's id of an array value. */
export const arrayId = 9;

const scalar = (name: ScalarName, id: number, bytes: number): ScalarType =>
  Object.freeze({ name, id, bytes });

export const scalars: readonly ScalarType[] = Object.freeze([
  scalar("u8", 0, 1),
  scalar("i8", 1, 1),
  scalar("u16", 2, 2),
  scalar("i16", 3, 2),
  scalar("u32", 4, 4),
  scalar("i32", 5, 4),
  scalar("f32", 6, 4),
  scalar("bool", 7, 1),
  scalar("u64", 10, 8),
  scalar("i64", 11, 8),
  scalar("f64", 12, 8),
]);

const byId: ReadonlyMap<number, ScalarType> = new Map(scalars.map((type) => [type.id, type]));
const byName: ReadonlyMap<string, ScalarType> = new Map(scalars.map((type) => [type.name, type]));

/** The scalar type with an id, if it is one. */
export function scalarById(id: number): ScalarType | undefined {
  return byId.get(id);
}

/** The scalar type of a name. */
export function scalarByName(name: ScalarName): ScalarType {
  return byName.get(name) as ScalarType;
}

/** An array of numbers of one width. */
export type NumericArray = Exclude<MetadataArray, readonly string[] | readonly boolean[]>;

type NumericName = Exclude<ScalarName, "bool">;

/** Array classes of the numeric types. */
export const arrayClasses: Readonly<
  Record<NumericName, new (buffer: ArrayBuffer) => NumericArray>
> = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f64: Float64Array,
};
