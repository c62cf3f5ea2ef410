/** The types of work.mjs, which describes what they are. */
export type Place =
  | "generation"
  | "open"
  | "inside"
  | "sleeping"
  | "ready"
  | "stop"
  | "failed"
  | "next"
  | "total"
  | "chunk"
  | "kernel"
  | "memory"
  | "count"
  | "length"
  | "args"
  | "steps"
  | "lanes"
  | "table";
export declare const at: Readonly<Record<Place, number>>;
export declare function work(
  control: Int32Array,
  kernels: readonly (readonly ((...args: number[]) => void)[])[],
  thread: number,
): void;
/** What a helper is given. */
export interface HelperData {
  readonly control: Int32Array;
  readonly module: WebAssembly.Module;
  readonly memories: readonly WebAssembly.Memory[];
  /** Of kernels, by their numbers. */
  readonly names: readonly string[];
  /** 1 for the first helper. */
  readonly thread: number;
}
export declare function help(data: HelperData): void;
