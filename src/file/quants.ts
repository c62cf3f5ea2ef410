/**
 * THE table of tensor types. A type stores a row as blocks of `elements` weights in `bytes` bytes;
 * the decoders stand beside it (`decode.ts`), the WGSL snippets in `wgsl/quant/`.
 */

export interface QuantType {
  /** llama.cpp's name in capitals: `Q4_K`, `F16`. */
  readonly name: string;
  /** GGUF's type id (ggml_type). */
  readonly id: number;
  /** Elements a block. */
  readonly elements: number;
  /** Bytes a block. */
  readonly bytes: number;
  /** True for types that carry plain data (indices, 64-bit floats), never weights of a product. */
  readonly data: boolean;
}

/**
 * Decodes the first `blocks` blocks of `bytes` into `out`.
 * Products of a 16-bit scale with small integers are exact in a double and nearly always in a float,
 * so that the one rounding of the store into `out` is the one that C's float arithmetic makes too.
 */
export type Decoder = (bytes: Uint8Array, out: Float32Array, blocks: number) => void;

const weights = (name: string, id: number, elements: number, bytes: number): QuantType =>
  Object.freeze({ name, id, elements, bytes, data: false });
const plain = (name: string, id: number, bytes: number): QuantType =>
  Object.freeze({ name, id, elements: 1, bytes, data: true });

/** Every tensor type a GGUF file can hold, by id. (Q8_1 and Q8_K are activation formats, never in files.) */
export const quants: readonly QuantType[] = Object.freeze([
  weights("F32", 0, 1, 4),
  weights("F16", 1, 1, 2),
  weights("Q4_0", 2, 32, 18),
  weights("Q4_1", 3, 32, 20),
  weights("Q5_0", 6, 32, 22),
  weights("Q5_1", 7, 32, 24),
  weights("Q8_0", 8, 32, 34),
  weights("Q2_K", 10, 256, 84),
  weights("Q3_K", 11, 256, 110),
  weights("Q4_K", 12, 256, 144),
  weights("Q5_K", 13, 256, 176),
  weights("Q6_K", 14, 256, 210),
  weights("IQ2_XXS", 16, 256, 66),
  weights("IQ2_XS", 17, 256, 74),
  weights("IQ3_XXS", 18, 256, 98),
  weights("IQ1_S", 19, 256, 50),
  weights("IQ4_NL", 20, 32, 18),
  weights("IQ3_S", 21, 256, 110),
  weights("IQ2_S", 22, 256, 82),
  weights("IQ4_XS", 23, 256, 136),
  plain("I8", 24, 1),
  plain("I16", 25, 2),
  plain("I32", 26, 4),
  plain("I64", 27, 8),
  plain("F64", 28, 8),
  weights("IQ1_M", 29, 256, 56),
  weights("BF16", 30, 1, 2),
  weights("TQ1_0", 34, 256, 54),
  weights("TQ2_0", 35, 256, 66),
  weights("MXFP4", 39, 32, 17),
  weights("NVFP4", 40, 64, 36),
  weights("Q1_0", 41, 128, 18),
  weights("Q2_0", 42, 64, 18),
]);

const byId: ReadonlyMap<number, QuantType> = new Map(quants.map((type) => [type.id, type]));
const byName: ReadonlyMap<string, QuantType> = new Map(quants.map((type) => [type.name, type]));

/** The type with GGUF's id, if it is one. */
export function quantById(id: number): QuantType | undefined {
  return byId.get(id);
}

/** The type of a name, in any case: `q4_K`, `Q4_K`. */
export function quantByName(name: string): QuantType | undefined {
  return byName.get(name.toUpperCase());
}

/** Bytes of a row of `elements` weights; `elements` must be a multiple of the block. */
export function rowBytes(type: QuantType, elements: number): number {
  return (elements / type.elements) * type.bytes;
}
