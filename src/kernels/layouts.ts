/**
 * How the blocks of tensor types stand in GPU memory. Blocks of most types are no multiple of 16 bytes: read as they are in the
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
  // d, qs
  Q4_0: layout(8, [0, 2], [2, 16]),
  Q8_0: layout(8, [0, 2], [2, 32]),
  // d, scales, ql, qh
  Q6_K: layout(8, [208, 2], [192, 16], [0, 128], [128, 64]),
};

export const layoutOf = ({ name }: QuantType): BlockLayout | undefined =>
  Object.hasOwn(layouts, name) ? layouts[name] : undefined;

/** Bytes that `elements` weights of a type take in GPU memory. */
export function storedBytes(type: QuantType, elements: number): number {
  const { blocks = 1 } = layoutOf(type) ?? {};
  return Math.ceil(elements / type.elements / blocks) * blocks * type.bytes;
}
