/** Typed access to metadata; every failure names the key, the value found and the one expected. */
import { WebggufError } from "../base/errors.ts";
import { quoted } from "../base/text.ts";

/** A metadata value. 64-bit integers are numbers when exact, else bigints. */
export type MetadataValue = string | number | bigint | boolean | MetadataArray;

/** An array of one element type: strings, booleans, or numbers as a typed array. */
export type MetadataArray =
  | readonly string[]
  | readonly boolean[]
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** A value for a message: on one line and not long. */
function describe(value: MetadataValue): string {
  if (typeof value === "object") return `an array of ${value.length}`;
  return typeof value === "string" ? quoted(value) : String(value);
}

/** Read-only key/value pairs of a GGUF file, with getters that check. */
export class Metadata implements Iterable<[string, MetadataValue]> {
  readonly file: string;
  readonly #values: ReadonlyMap<string, MetadataValue>;

  constructor(file: string, values: ReadonlyMap<string, MetadataValue>) {
    this.file = file;
    this.#values = values;
  }

  get size(): number {
    return this.#values.size;
  }
  has(key: string): boolean {
    return this.#values.has(key);
  }
  get(key: string): MetadataValue | undefined {
    return this.#values.get(key);
  }
  [Symbol.iterator](): IterableIterator<[string, MetadataValue]> {
    return this.#values.entries();
  }

  /** A whole or real number that JavaScript holds exactly. */
  number(key: string, fallback?: number): number {
    const value = this.#values.get(key);
    if (value === undefined && fallback !== undefined) return fallback;
    if (typeof value !== "number") throw this.#mismatch(key, "a number", value);
    return value;
  }
  /** A whole number of at least `min` (default 0) and below 2^31. */
  integer(key: string, fallback?: number, min = 0): number {
    const value = this.number(key, fallback);
    if (value === fallback && !this.has(key)) return value;
    if (!Number.isInteger(value) || value < min || value > 0x7fffffff)
      throw this.#mismatch(key, `a whole number of at least ${min}`, value);
    return value;
  }
  string(key: string, fallback?: string): string {
    const value = this.#values.get(key);
    if (value === undefined && fallback !== undefined) return fallback;
    if (typeof value !== "string") throw this.#mismatch(key, "a string", value);
    return value;
  }
  boolean(key: string, fallback?: boolean): boolean {
    const value = this.#values.get(key);
    if (value === undefined && fallback !== undefined) return fallback;
    if (typeof value !== "boolean") throw this.#mismatch(key, "true or false", value);
    return value;
  }
  strings(key: string, fallback?: readonly string[]): readonly string[] {
    const value = this.#values.get(key);
    if (value === undefined && fallback !== undefined) return fallback;
    if (!Array.isArray(value) || (value.length > 0 && typeof value[0] !== "string"))
      throw this.#mismatch(key, "an array of strings", value);
    return value as readonly string[];
  }
  /** An array of numbers (of any width), or of booleans as 0 and 1. */
  numbers(key: string, fallback?: ArrayLike<number>): ArrayLike<number> {
    const value = this.#values.get(key);
    if (value === undefined && fallback !== undefined) return fallback;
    if (value instanceof BigInt64Array || value instanceof BigUint64Array)
      return Array.from(value, Number);
    if (ArrayBuffer.isView(value)) return value as ArrayLike<number>;
    if (Array.isArray(value) && (value.length === 0 || typeof value[0] === "boolean"))
      return value.map(Number);
    throw this.#mismatch(key, "an array of numbers", value);
  }
  /** One number for all layers, or an array with one a layer (GGUF allows both). */
  perLayer(key: string, layers: number, fallback?: number): number[] {
    const value = this.#values.get(key);
    if (value === undefined || typeof value === "number" || typeof value === "boolean") {
      const one = typeof value === "boolean" ? Number(value) : this.number(key, fallback);
      return new Array<number>(layers).fill(one);
    }
    const all = this.numbers(key);
    if (all.length < layers)
      throw this.#mismatch(key, `${layers} numbers, one for each layer`, value);
    return Array.from({ length: layers }, (_, i) => Number(all[i]));
  }

  #mismatch(key: string, expected: string, value: MetadataValue | undefined): WebggufError {
    const found = value === undefined ? "it is missing" : `it is ${describe(value)}`;
    return new WebggufError(
      "model/invalid",
      `Cannot use metadata key "${key}" of ${this.file}: ${found}, expected ${expected}`,
      { file: this.file, key, expected, actual: value },
    );
  }
}
