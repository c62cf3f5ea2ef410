/** Streams tensors from the file into their buffers, in file order, a few MiB at a time. */
import { dequantize } from "../gguf/decode.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";
import type { Placement } from "./place.ts";

export interface UploadHooks {
  readonly signal?: AbortSignal;
  /** Bytes so far and in all. */
  readonly onProgress?: (loaded: number, total: number) => void;
  /** Called now and then so that the queue can take what was written (staging memory stays flat). */
  readonly settle?: () => Promise<void>;
}

/** Bytes written before the queue is given a chance to take them. */
const SETTLE_BYTES = 64 << 20;

/** The vectors of a placement as f32, at their places; `extra` more floats follow for the caller. */
export async function readVectors(
  placement: Placement,
  file: GgufFile,
  extra: number,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const small = new Float32Array(placement.smallLength + extra);
  for (const [name, at] of placement.vectors) {
    const tensor = file.tensors.get(name)!;
    const bytes = await file.sources[tensor.part].read(tensor.offset, tensor.bytes, signal);
    dequantize(tensor.type, bytes, small.subarray(at, at + tensor.elements), tensor.elements);
  }
  return small;
}

/** Writes every matrix of the placement. Host memory stays at a few pieces whatever the file's size. */
export async function uploadWeights(
  device: GPUDevice,
  buffers: ReadonlyMap<string, GPUBuffer>,
  placement: Placement,
  file: GgufFile,
  hooks: UploadHooks = {},
): Promise<void> {
  const jobs = [...placement.matrices.values()].sort(
    (a, b) => a.tensor.part - b.tensor.part || a.tensor.offset - b.tensor.offset,
  );
  const total = jobs.reduce((sum, m) => sum + m.tensor.bytes, 0);
  let loaded = 0;
  let unsettled = 0;
  for (const { tensor, pieces, rowBytes } of jobs) {
    for (const piece of pieces) {
      const target = buffers.get(piece.buffer)!;
      const range = { tensor, first: piece.first * rowBytes, bytes: piece.rows * rowBytes };
      for await (const { at, data } of words(file, range, hooks.signal)) {
        device.queue.writeBuffer(target, piece.offset + at, data);
        unsettled += data.byteLength;
        loaded += Math.min(data.byteLength, range.bytes - at);
        hooks.onProgress?.(loaded, total);
        if (unsettled >= SETTLE_BYTES) {
          unsettled = 0;
          await hooks.settle?.();
        }
      }
    }
  }
  await hooks.settle?.();
}

/** A range of a tensor as pieces of whole 32-bit words; the last is padded with zeros. */
async function* words(
  file: GgufFile,
  range: { tensor: TensorInfo; first: number; bytes: number },
  signal?: AbortSignal,
): AsyncGenerator<{ at: number; data: Uint8Array<ArrayBuffer> }> {
  const source = file.sources[range.tensor.part];
  let at = 0;
  let rest = new Uint8Array(0);
  for await (const piece of source.stream(range.tensor.offset + range.first, range.bytes, signal)) {
    signal?.throwIfAborted();
    let data: Uint8Array<ArrayBuffer> = piece;
    if (rest.length > 0) {
      data = new Uint8Array(rest.length + piece.length);
      data.set(rest);
      data.set(piece, rest.length);
    }
    const whole = data.length & ~3;
    if (whole > 0) yield { at, data: data.subarray(0, whole) };
    at += whole;
    rest = data.slice(whole);
  }
  if (rest.length > 0) {
    const last = new Uint8Array(4);
    last.set(rest);
    yield { at, data: last };
  }
}
