/** GGUF headers byte by byte, for files that the writer would not write. */

import { WebggufError } from "../../src/base/errors.ts";
import type { ByteSource } from "../../src/base/source.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { type ReadOptions, readGguf } from "../../src/gguf/read.ts";
import { Bytes } from "../../src/gguf/write-bytes.ts";

/** Writes one thing into a header. */
export type Put = (out: Bytes) => void;

/** The largest unsigned 64-bit number: -1 when read as signed. */
export const allOnes: bigint = 2n ** 64n - 1n;

export const u32 =
  (value: number): Put =>
  (out) =>
    out.scalar("u32", value);
export const u64 =
  (value: number | bigint): Put =>
  (out) =>
    out.scalar("u64", value);
export const u8 =
  (value: number): Put =>
  (out) =>
    out.scalar("u8", value);
export const text =
  (value: string): Put =>
  (out) =>
    out.string(value);
export const raw =
  (...bytes: number[]): Put =>
  (out) =>
    out.raw(Uint8Array.from(bytes));

/** A string whose announced length is not its own. */
export const announced = (length: number | bigint, ...bytes: number[]): Put[] => [
  u64(length),
  raw(...bytes),
];

export function bytesOf(...puts: readonly Put[]): Uint8Array<ArrayBuffer> {
  const out = new Bytes();
  for (const put of puts) put(out);
  return out.done();
}

export interface RawFile {
  magic?: string;
  version?: number;
  tensorCount?: number | bigint;
  pairCount?: number | bigint;
  /** One list a pair. */
  pairs?: readonly (readonly Put[])[];
  /** One list a tensor. */
  tensors?: readonly (readonly Put[])[];
  /** Data bytes after the padding; without it the file ends with its header. */
  data?: number;
  alignment?: number;
}

/** A key of type u32. */
export const keyU32 = (key: string, value: number): Put[] => [text(key), u32(4), u32(value)];

export const tensor = (
  name: string,
  shape: readonly (number | bigint)[],
  type: number,
  offset: number | bigint,
): Put[] => [text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset)];

export function rawFile(file: RawFile): Uint8Array<ArrayBuffer> {
  const { magic = "GGUF", version = 3, pairs = [], tensors = [], alignment = 32 } = file;
  const out = new Bytes();
  for (const put of [
    raw(...[...magic].map((letter) => letter.charCodeAt(0))),
    u32(version),
    u64(file.tensorCount ?? tensors.length),
    u64(file.pairCount ?? pairs.length),
    ...pairs.flat(),
    ...tensors.flat(),
  ])
    put(out);
  const header = out.done();
  if (file.data === undefined) return header;
  const start = Math.ceil(header.length / alignment) * alignment;
  const all = new Uint8Array(start + file.data);
  all.set(header);
  return all;
}

/** A source that tells how much was asked of it. */
export function countedSource(bytes: Uint8Array<ArrayBuffer>): ByteSource & { asked: number } {
  const source = bufferSource(bytes, "test.gguf");
  return {
    ...source,
    asked: 0,
    read(offset, length, signal) {
      this.asked += length;
      return source.read(offset, length, signal);
    },
  };
}

/** The typed error of reading a file; fails when it reads, or throws anything else. */
export async function refusal(
  bytes: Uint8Array<ArrayBuffer>,
  options?: ReadOptions,
): Promise<WebggufError> {
  const source = countedSource(bytes);
  try {
    await readGguf(source, options);
  } catch (error) {
    if (!(error instanceof WebggufError)) throw error;
    if (source.asked > 4 * bytes.length) throw new Error(`${source.asked} bytes were asked for`);
    return error;
  }
  throw new Error("the file was accepted");
}
