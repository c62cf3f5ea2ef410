/** What every executor can be told. */

/** Element types of a key/value cache. */
export type CacheType = "f32" | "f16" | "q8_0" | "q4_0";

export interface ComputeOptions {
  /** Positions of a sequence at most. */
  readonly contextLength: number;
  /** Sequences that are held at once. @default 1 */
  readonly maxSequences?: number;
  /** The CPU path stores quantised types as f16. @default "f16" */
  readonly cacheTypeK?: CacheType;
  /** @default "f16" */
  readonly cacheTypeV?: CacheType;
  /** Rows computed at once. @default 512 on GPUs, 64 on software adapters and the CPU path */
  readonly chunk?: number;
  /**
   * Threads that compute on the CPU path, at most: those that make it no faster are ended.
   * @default half of the processors'
   */
  readonly threads?: number;
}
