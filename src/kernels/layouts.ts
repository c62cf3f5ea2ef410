/**
 * How the blocks of tensor types stand in GPU memory. Blocks of all but Q4_K and Q5_K are no multiple of 16 bytes: read as they are in the
 * file they take word by word and shifts. These are stored group by group, each part of a group's blocks behind the same part
 * of the block before (all scales, then all codes), so that a GPU loads 16 bytes at a time and neighbours read neighbours.
 * A group takes as many bytes as in the file; only the last group of a piece of a tensor is filled up.
 */
import type { QuantType } from "../file/quants.ts";

export interface BlockLayout {
  /** Blocks of a group, a power of two. */
  readonly blocks: number;
  /**
   * Parts of a block as it is in the file, in the order in which a group holds them: powers of two of bytes, of which a group
   * has whole 16.
   */
  readonly parts: readonly (readonly [offset: number, bytes: number])[];
}

const layout = (blocks: number, ...parts: [offset: number, bytes: number][]): BlockLayout => ({
  blocks,
  parts,
});

/** By type; the others are stored as they are in the file. wgsl/quant/ reads what stands here. */
export const layouts: Readonly<Record<string, BlockLayout>> = {
  Q1_0: layout(8, [0, 2], [2, 16]),
  Q2_0: layout(8, [0, 2], [2, 16]),
  Q4_0: layout(8, [0, 2], [2, 16]),
  IQ4_NL: layout(8, [0, 2], [2, 16]),
  Q4_1: layout(4, [0, 4], [4, 16]),
  Q5_0: layout(8, [0, 2], [2, 4], [6, 16]),
  Q5_1: layout(4, [0, 4], [4, 4], [8, 16]),
  Q8_0: layout(8, [0, 2], [2, 32]),
  MXFP4: layout(16, [0, 1], [1, 16]),
  NVFP4: layout(4, [0, 4], [4, 32]),
  Q2_K: layout(4, [80, 4], [0, 16], [16, 64]),
  Q3_K: layout(8, [108, 2], [96, 8], [104, 4], [0, 32], [32, 64]),
  Q6_K: layout(8, [208, 2], [192, 16], [0, 128], [128, 64]),
  TQ1_0: layout(8, [52, 2], [0, 32], [32, 16], [48, 4]),
  TQ2_0: layout(8, [64, 2], [0, 64]),
  IQ1_S: layout(8, [0, 2], [2, 32], [34, 16]),
  IQ1_M: layout(2, [48, 8], [0, 32], [32, 16]),
  IQ2_XXS: layout(8, [0, 2], [2, 64]),
  IQ2_XS: layout(8, [0, 2], [66, 8], [2, 64]),
  IQ2_S: layout(8, [0, 2], [66, 8], [74, 8], [2, 32], [34, 32]),
  IQ3_XXS: layout(8, [0, 2], [2, 64], [66, 32]),
  IQ3_S: layout(8, [0, 2], [66, 8], [106, 4], [2, 64], [74, 32]),
  IQ4_XS: layout(2, [0, 8], [8, 128]),
};

export const layoutOf = ({ name }: QuantType): BlockLayout | undefined =>
  Object.hasOwn(layouts, name) ? layouts[name] : undefined;

/** Bytes that `elements` weights of a type take in GPU memory. */
export function storedBytes(type: QuantType, elements: number): number {
  const { blocks = 1 } = layoutOf(type) ?? {};
  return Math.ceil(elements / type.elements / blocks) * blocks * type.bytes;
}
