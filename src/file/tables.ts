/** Where the lookup tables of quantised types stand, and the tables that are short. */

/** Types with a grid of their own, whose entries are in grids.ts; IQ1_M shares IQ1_S's. */
export type TableName = "IQ2_XXS" | "IQ2_XS" | "IQ2_S" | "IQ3_XXS" | "IQ3_S" | "IQ1_S";

/** Values of an entry, a byte each, and number of entries; the grids stand in memory in this order. */
export const gridSizes: Readonly<Record<TableName, { width: number; entries: number }>> = {
  IQ2_XXS: { width: 8, entries: 256 },
  IQ2_XS: { width: 8, entries: 512 },
  IQ2_S: { width: 8, entries: 1024 },
  IQ3_XXS: { width: 4, entries: 256 },
  IQ3_S: { width: 4, entries: 512 },
  IQ1_S: { width: 8, entries: 2048 },
};

let words = 0;

/** The word of all grids at which each one starts. */
export const tableOffsets: Readonly<Record<TableName, number>> = Object.fromEntries(
  Object.entries(gridSizes).map(([name, { width, entries }]) => {
    words += (entries * width) / 4;
    return [name, words - (entries * width) / 4];
  }),
) as Record<TableName, number>;

/** Length of all grids in 32-bit words. */
export const tableWords: number = words;

/** What the 16 codes of IQ4_NL and IQ4_XS mean. */
export const iq4Values: Int8Array = Int8Array.of(
  ...[-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113],
);

/** What the 16 codes of the 4-bit floats (E2M1) mean, doubled so that they are whole. */
export const fp4Values: Int8Array = Int8Array.of(
  ...[0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12],
);
