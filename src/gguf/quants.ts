/** THE table of tensor types; see cpu decoders beside it. (Filled in by the gguf station.) */
export interface QuantType {
  /** llama.cpp's name in capitals: `Q4_K`, `F16`. */
  readonly name: string;
  /** GGUF's type id (ggml_type). */
  readonly id: number;
  /** Elements a block. */
  readonly elements: number;
  /** Bytes a block. */
  readonly bytes: number;
}
