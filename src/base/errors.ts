/**
 * The one error class of webgguf. Every failure a caller can meet has a stable {@link ErrorCode},
 * a one-line message (what, where, what to do) and the fields that a program would want.
 * Cancelling is not an error of ours: an aborted call throws `signal.reason`, unwrapped.
 */

import { oneLine } from "./text.ts";

/** Stable, documented error codes; the part before the slash is the family. */
export type ErrorCode =
  | "gguf/malformed" // the bytes are not a valid GGUF file
  | "gguf/unsupported" // valid, but a version or type that cannot be read
  | "source/not-found" // no such file or URL
  | "source/io" // reading failed
  | "source/network" // HTTP status or connection, after retries
  | "source/changed" // the file changed while it was in use
  | "source/corrupt" // the bytes are not those that the digest is of
  | "device/no-adapter" // no usable GPU
  | "device/lost" // the GPU went away
  | "device/out-of-memory" // the GPU or this machine has not enough
  | "device/validation" // a bug of ours or of the driver, reported by WebGPU
  | "device/limit" // something does not fit the device's limits
  | "model/unsupported" // architecture, tensor type or feature that is not known
  | "model/invalid" // hyperparameters or tensors missing or contradictory
  | "model/no-tokenizer" // text was asked of a file without a usable tokenizer
  | "context/overflow" // more tokens than the context holds
  | "session/busy" // a second call while one is running
  | "session/disposed" // used after dispose()
  | "session/corrupt" // the bytes of a saved session were cut or changed
  | "session/mismatch" // a saved session of another model, cache type or version
  | "input/invalid" // an argument is wrong
  | "grammar/invalid" // a grammar, schema or regular expression that cannot be read; offset says where
  | "grammar/unsupported" // one that is right but cannot be enforced; key says which part
  | "template/failed"; // the chat template refused, failed or ran over its limits

/** Fields that say where the error is. */
export interface ErrorDetails {
  /** File name or URL. */
  file?: string;
  /** Byte offset in the file. */
  offset?: number;
  /** Metadata key. */
  key?: string;
  /** Tensor name. */
  tensor?: string;
  /** Keyword of a JSON Schema. */
  keyword?: string;
  /** JSON pointer to where in the schema; "" is the root. */
  pointer?: string;
  /** What was wanted. */
  expected?: unknown;
  /** What was found. */
  actual?: unknown;
  /** The error underneath, if any. */
  cause?: unknown;
}

/** Thrown by every part of webgguf for everything but misuse of types and cancelling. */
export class WebggufError extends Error {
  override readonly name = "WebggufError";
  readonly code: ErrorCode;
  readonly file?: string;
  readonly offset?: number;
  readonly key?: string;
  readonly tensor?: string;
  readonly keyword?: string;
  readonly pointer?: string;
  readonly expected?: unknown;
  readonly actual?: unknown;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(oneLine(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.file !== undefined) this.file = details.file;
    if (details.offset !== undefined) this.offset = details.offset;
    if (details.key !== undefined) this.key = details.key;
    if (details.tensor !== undefined) this.tensor = details.tensor;
    if (details.keyword !== undefined) this.keyword = details.keyword;
    if (details.pointer !== undefined) this.pointer = details.pointer;
    if (details.expected !== undefined) this.expected = details.expected;
    if (details.actual !== undefined) this.actual = details.actual;
  }
}
