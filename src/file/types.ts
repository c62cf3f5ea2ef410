/** What a GGUF file says about itself: plain, frozen data that holds no tensor bytes. */
import type { ByteSource } from "../base/source.ts";
import type { Metadata } from "./metadata.ts";
import type { QuantType } from "./quants.ts";

/** One tensor of the table. */
export interface TensorInfo {
  readonly name: string;
  readonly type: QuantType;
  /** GGUF order: the first dimension is the contiguous one (the row length). Trailing 1s are kept. */
  readonly shape: readonly number[];
  /** Elements in all. */
  readonly elements: number;
  /** Absolute byte offset in its file. */
  readonly offset: number;
  /** Bytes of data, without padding. */
  readonly bytes: number;
  /** Index into {@link ModelFile.sources}: 0 unless the file is split. */
  readonly part: number;
}

/** A parsed file, or all parts of a split one as one. */
export interface ModelFile {
  readonly name: string;
  readonly version: number;
  readonly alignment: number;
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Byte offset of the tensor data, by part. */
  readonly dataOffsets: readonly number[];
  readonly sources: readonly ByteSource[];
}
