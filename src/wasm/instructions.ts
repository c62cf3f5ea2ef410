/** Instructions as functions from values to values. Lanes count from the low end. */
import {
  Expr,
  type F32,
  type FunctionBody,
  type I32,
  signed,
  type Type,
  unsigned,
  type V128,
} from "./assembler.ts";

/** An instruction whose operands are all on the stack. */
export type Operation<T extends Type = "v128"> = (...operands: Expr[]) => Expr<T>;
/** Loads from `at` + `offset`; nothing is assumed about the alignment. */
export type Load<T extends Type = "v128"> = (at: I32, offset?: number) => Expr<T>;
export type LoadLane = (at: I32, into: V128, lane: number, offset?: number) => V128;
export type Store = (f: FunctionBody, at: I32, value: Expr, offset?: number) => void;
type Table<N extends string, V> = Readonly<Record<N, V>>;

function table<N extends string, V>(
  codes: Record<N, number>,
  make: (code: number) => V,
): Table<N, V> {
  const made = Object.entries<number>(codes).map(([name, code]) => [name, make(code)]);
  return Object.fromEntries(made) as Table<N, V>;
}
const operation =
  <T extends Type>(type: T, ...prefix: number[]) =>
  (code: number): Operation<T> =>
  (...operands) =>
    new Expr(type, [operands, prefix, unsigned(code)]);
const loads =
  <T extends Type>(type: T, ...prefix: number[]) =>
  (code: number): Load<T> =>
  (at, offset = 0) =>
    new Expr(type, [at, prefix, code, 0, unsigned(offset)]);
const laneLoads =
  (code: number): LoadLane =>
  (at, into, lane, offset = 0) =>
    new Expr("v128", [at, into, 0xfd, code, 0, unsigned(offset), lane]);
const stores =
  (...code: number[]): Store =>
  (f, at, value, offset = 0) =>
    f.run(at, value, code, 0, unsigned(offset));
const simd = operation("v128", 0xfd);

/** A constant. */
export const int = (value: number): I32 => new Expr("i32", [0x41, signed(value)]);
export const i32: Table<"load" | "load8u" | "load8s" | "load16u", Load<"i32">> &
  Table<
    "eq" | "lt" | "popcnt" | "add" | "sub" | "mul" | "and" | "or" | "xor" | "shl" | "shr",
    Operation<"i32">
  > = {
  ...table({ load: 0x28, load8s: 0x2c, load8u: 0x2d, load16u: 0x2f }, loads("i32")),
  ...table(
    { eq: 0x46, lt: 0x48, popcnt: 0x69, add: 0x6a, sub: 0x6b, mul: 0x6c, and: 0x71, or: 0x72 },
    operation("i32"),
  ),
  ...table({ xor: 0x73, shl: 0x74, shr: 0x76 }, operation("i32")),
};

/** A constant. */
export const float = (value: number): F32 =>
  new Expr("f32", [0x43, bytesOf(Float32Array.of(value))]);
/** `max` is not a number if an operand is none; `fromBits` takes an integer's bits as those of a float. */
export const f32: Table<
  "sqrt" | "add" | "sub" | "mul" | "div" | "max" | "fromI32" | "fromBits",
  Operation<"f32">
> & {
  readonly load: Load<"f32">;
  readonly store: Store;
} = {
  ...table({ sqrt: 0x91, add: 0x92, sub: 0x93, mul: 0x94, div: 0x95, max: 0x97 }, operation("f32")),
  ...table({ fromI32: 0xb2, fromBits: 0xbe }, operation("f32")),
  load: loads("f32")(0x2a),
  store: stores(0x38),
};

const bytesOf = (array: Float32Array | Int32Array | Int16Array | Int8Array): number[] =>
  Array.from(new Uint8Array(array.buffer));
const constant = (array: Int32Array | Int16Array | Int8Array): V128 =>
  new Expr("v128", [0xfd, 12, bytesOf(array)]);
const cycle = (count: number, values: readonly number[]): number[] =>
  Array.from({ length: count }, (_, i) => values[i % values.length]);
/** A constant of 16 bytes, 8 shorts or 4 integers; fewer values are repeated. */
export const bytes = (...values: number[]): V128 => constant(Int8Array.from(cycle(16, values)));
export const shorts = (...values: number[]): V128 => constant(Int16Array.from(cycle(8, values)));
export const ints = (...values: number[]): V128 => constant(Int32Array.from(cycle(4, values)));

/** `load8x8` loads eight bytes and widens each to 16 bits; `bitselect(a, b, mask)` takes a where the mask has ones. */
export const v128: Table<
  | "load"
  | "load8x8s"
  | "load8x8u"
  | "load16x4u"
  | "load16Splat"
  | "load32Splat"
  | "load32Zero"
  | "load64Zero",
  Load
> &
  Table<"load8Lane" | "load16Lane" | "load32Lane", LoadLane> &
  Table<"and" | "or" | "xor" | "bitselect", Operation> & {
    readonly anyTrue: Operation<"i32">;
    readonly store: Store;
  } = {
  ...table({ load: 0, load8x8s: 1, load8x8u: 2, load16x4u: 4 }, loads("v128", 0xfd)),
  ...table({ load16Splat: 8, load32Splat: 9, load32Zero: 92, load64Zero: 93 }, loads("v128", 0xfd)),
  ...table({ load8Lane: 84, load16Lane: 85, load32Lane: 86 }, laneLoads),
  ...table({ and: 78, or: 80, xor: 81, bitselect: 82 }, simd),
  anyTrue: operation("i32", 0xfd)(83),
  store: stores(0xfd, 11),
};
/** Lanes of `width` bytes of a, followed by those of b, by their numbers. */
export const shuffle = (width: number, a: V128, b: V128, ...lanes: number[]): V128 =>
  new Expr("v128", [
    [a, b, 0xfd, 13],
    lanes.flatMap((n) => Array.from({ length: width }, (_, i) => width * n + i)),
  ]);

export const i8x16: Table<"swizzle" | "splat" | "eq" | "add" | "sub", Operation> = table(
  { swizzle: 14, splat: 15, eq: 35, add: 110, sub: 113 },
  simd,
);
/** Shifts are of 16-bit lanes; `extend` widens the lower or upper eight bytes. */
export const i16x8: Table<
  | ("lt" | "gt")
  | ("splat" | "eq" | "narrow" | "extendLow" | "extendHigh" | "extendLowU" | "extendHighU")
  | ("shl" | "shr" | "add" | "sub" | "mul"),
  Operation
> = table(
  {
    ...{ lt: 47, gt: 49 },
    ...{ splat: 16, eq: 45, narrow: 133, extendLow: 135, extendHigh: 136, extendLowU: 137 },
    ...{ extendHighU: 138, shl: 139, shr: 141, add: 142, sub: 145, mul: 149 },
  },
  simd,
);
/** `dot` adds products of 16-bit lanes in pairs; `truncate` makes 0 of what is not a number. */
export const i32x4: Table<
  | ("splat" | "lt" | "gt" | "extendLow" | "extendHigh" | "extendLowU" | "extendHighU")
  | ("shl" | "shr" | "add" | "sub" | "dot" | "truncate"),
  Operation
> = table(
  {
    ...{ splat: 17, lt: 57, gt: 59, extendLow: 167, extendHigh: 168, extendLowU: 169 },
    ...{ extendHighU: 170, shl: 171, shr: 173, add: 174, sub: 177, dot: 186, truncate: 248 },
  },
  simd,
);
export const intLane = (v: V128, lane: number): I32 => new Expr("i32", [v, 0xfd, 27, lane]);
export const withIntLane = (v: V128, value: I32, lane: number): V128 =>
  new Expr("v128", [v, value, 0xfd, 28, lane]);
/** `min` and `max` are not a number where an operand is none; `nearest` takes the even one of two. */
export const f32x4: Table<
  | ("splat" | "eq" | "lt" | "nearest" | "abs" | "neg" | "sqrt" | "add" | "sub" | "mul" | "div")
  | ("min" | "max" | "fromI32"),
  Operation
> = table(
  {
    ...{
      splat: 19,
      eq: 65,
      lt: 67,
      nearest: 106,
      abs: 224,
      neg: 225,
      sqrt: 227,
      add: 228,
      sub: 229,
    },
    ...{ mul: 230, div: 231, min: 232, max: 233, fromI32: 250 },
  },
  simd,
);
/** A constant. */
export const floats = (...values: number[]): V128 =>
  new Expr("v128", [0xfd, 12, bytesOf(Float32Array.from(cycle(4, values)))]);
export const floatLane = (v: V128, lane: number): F32 => new Expr("f32", [v, 0xfd, 31, lane]);

/** Copies `count` bytes from `from` to `to`. */
export const copy = (f: FunctionBody, to: I32, from: I32, count: I32): void =>
  f.run(to, from, count, 0xfc, 10, 0, 0);
