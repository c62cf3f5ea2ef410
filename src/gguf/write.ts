/** Writes GGUF version 3 files, streaming: nothing but the header is held in memory. */
import { WebggufError } from "../base/errors.ts";
import { type QuantType, rowBytes } from "../file/quants.ts";
import { splitKeys, splitName } from "./split.ts";
import { Bytes } from "./write-bytes.ts";
import { type TypedValue, valueType, type WritableValue, writeValue } from "./write-value.ts";

/** Takes the file's bytes in order; a piece is valid until the call has returned (or resolved). */
export type Sink = (bytes: Uint8Array) => void | Promise<void>;

/** Values of metadata: plain ones get the type that fits (see write-value.ts), {@link typed} ones theirs. */
export type WritableMetadata = Iterable<readonly [string, WritableValue]>;

/** A tensor's data: all of it, or pieces that together are exactly as long as the tensor. */
export type TensorData = Uint8Array | (() => Iterable<Uint8Array> | AsyncIterable<Uint8Array>);

export interface WritableTensor {
  readonly name: string;
  readonly type: QuantType;
  /** GGUF order: the first dimension is the row length. */
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface WriteOptions {
  readonly metadata: WritableMetadata;
  readonly tensors: readonly WritableTensor[];
  /** A power of two, default 32; written as `general.alignment` when it is not 32. */
  readonly alignment?: number;
  /** 2 or 3 (the default): the two differ only in this number. */
  readonly version?: 2 | 3;
}

const paddingTo = (alignment: number, length: number): number =>
  (alignment - (length % alignment)) % alignment;

const bytesOf = (tensor: WritableTensor): number =>
  rowBytes(
    tensor.type,
    tensor.shape.reduce((product, length) => product * length, 1),
  );

function check(tensor: WritableTensor): void {
  const row = tensor.shape[0] ?? 1;
  const bytes = bytesOf(tensor);
  if (row % tensor.type.elements === 0 && Number.isSafeInteger(bytes) && bytes >= 0) return;
  throw new WebggufError(
    "input/invalid",
    `Cannot write tensor ${JSON.stringify(tensor.name)}: shape ${tensor.shape.join(" × ")} does not fit ${tensor.type.name}`,
    { tensor: tensor.name, expected: tensor.type.elements, actual: row },
  );
}

/** Everything before the tensor data, and the size of the whole file. */
export interface Header {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of the file with all its data. */
  readonly size: number;
}

/** The header alone, for files whose data comes from elsewhere or is a hole. */
export function ggufHeader(options: WriteOptions): Header {
  options.tensors.forEach(check);
  const alignment = options.alignment ?? 32;
  const pairs = [...options.metadata];
  if (alignment !== 32) pairs.push(["general.alignment", { type: "u32", value: alignment }]);
  const out = new Bytes();
  out.raw(new TextEncoder().encode("GGUF"));
  out.scalar("u32", options.version ?? 3);
  out.scalar("u64", options.tensors.length);
  out.scalar("u64", pairs.length);
  for (const [key, value] of pairs) {
    out.string(key);
    out.scalar("u32", valueType(value));
    writeValue(out, value);
  }
  let offset = 0;
  for (const tensor of options.tensors) {
    out.string(tensor.name);
    out.scalar("u32", tensor.shape.length);
    for (const length of tensor.shape) out.scalar("u64", length);
    out.scalar("u32", tensor.type.id);
    out.scalar("u64", offset);
    offset += bytesOf(tensor);
    offset += paddingTo(alignment, offset);
  }
  out.zeros(paddingTo(alignment, out.length));
  return { bytes: out.done(), size: out.length + offset };
}

async function writeData(sink: Sink, tensor: WritableTensor): Promise<void> {
  const pieces = typeof tensor.data === "function" ? tensor.data() : [tensor.data];
  const expected = bytesOf(tensor);
  let written = 0;
  for await (const piece of pieces) {
    written += piece.length;
    if (written > expected) break;
    await sink(piece);
  }
  if (written !== expected)
    throw new WebggufError(
      "input/invalid",
      `Cannot write tensor ${JSON.stringify(tensor.name)}: its data is not the ${expected} bytes of its shape`,
      { tensor: tensor.name, expected, actual: written },
    );
}

/** Writes a file; resolves to its length in bytes. Data of the wrong length is `input/invalid`. */
export async function writeGguf(sink: Sink, options: WriteOptions): Promise<number> {
  const header = ggufHeader(options);
  await sink(header.bytes);
  for (const tensor of options.tensors) {
    await writeData(sink, tensor);
    const padding = paddingTo(options.alignment ?? 32, bytesOf(tensor));
    if (padding > 0) await sink(new Uint8Array(padding));
  }
  return header.size;
}

/** A file as bytes in memory, for small ones. */
export async function ggufBytes(options: WriteOptions): Promise<Uint8Array<ArrayBuffer>> {
  const out = new Bytes();
  await writeGguf((piece) => out.raw(piece), options);
  return out.done();
}

/**
 * Writes a model as several files of at most `tensorsPerPart` tensors each, named as
 * `STEM-00001-of-0000N.gguf`. The first carries all metadata, the others only what every part needs.
 * `open` gives the sink of each part; it is told when that part is complete by `close`.
 */
export async function writeSplitGguf(
  stem: string,
  options: WriteOptions & { readonly tensorsPerPart: number },
  open: (name: string) => Promise<{ write: Sink; close(): Promise<void> }>,
): Promise<void> {
  const { tensors, tensorsPerPart } = options;
  const count = Math.max(1, Math.ceil(tensors.length / tensorsPerPart));
  for (let no = 0; no < count; no++) {
    const own: [string, TypedValue][] = [
      [splitKeys.no, { type: "u16", value: no }],
      [splitKeys.count, { type: "u16", value: count }],
      [splitKeys.tensors, { type: "i32", value: tensors.length }],
    ];
    const file = await open(splitName(stem, no, count));
    await writeGguf(file.write, {
      ...options,
      metadata: no === 0 ? [...options.metadata, ...own] : own,
      tensors: tensors.slice(no * tensorsPerPart, (no + 1) * tensorsPerPart),
    });
    await file.close();
  }
}
