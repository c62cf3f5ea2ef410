/** What a quantiser is. */

/**
 * Writes one row as blocks to the start of `out`. `x` is a whole number of blocks long; `importance` has one weight a
 * column, for types that use it.
 */
export type RowQuantizer = (x: Float32Array, out: Uint8Array, importance?: Float32Array) => void;
