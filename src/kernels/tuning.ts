/** What the host files of kernels are told about a device. */

/** How linear maps spread their work. What the mat-vec has is the same for 1 to 8 rows, so that sums do not change. */
export interface LinearTuning {
  /** Threads of a workgroup of the mat-vec. */
  readonly threads: number;
  /** Threads that share rows of the weights. */
  readonly lanes: number;
  /** How many rows they share when x has one row, and when it has more; even numbers. */
  readonly weightRows: number;
  readonly batchWeightRows: number;
  /** Whether loops over registers are written out, so that no compiler keeps these in memory; it takes longer to compile. */
  readonly unroll: boolean;
  /** Threads of the smallest subgroup of the device; 0 = it has none. Wide enough, it replaces workgroup memory. */
  readonly subgroup: number;
  /** Rows of x in a tile of the mat-mul, 32 or 64; it has 4,096 / tile rows of the weights. */
  readonly tile: number;
}
