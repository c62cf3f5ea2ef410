/** Streams tensors from the file into their buffers, in file order, a few MiB at a time. */
import { checkCame } from "../base/range.ts";
import { plainDecoders } from "../file/decode/plain.ts";
import type { ModelFile, TensorInfo } from "../file/types.ts";
import { layoutOf, storedBytes } from "../kernels/layouts.ts";
import type { PlacedMatrix, Placement } from "../plan/place.ts";
import type { Buffers } from "../platform/buffers.ts";
import { Repacker } from "./repack.ts";

export interface UploadHooks {
  readonly signal?: AbortSignal;
  /** Bytes so far and in all. */
  readonly onProgress?: (loaded: number, total: number) => void;
  /** Called now and then so that the queue can take what was written (staging memory stays flat). */
  readonly settle?: () => Promise<void>;
}

/** Bytes written before the queue is given a chance to take them. */
const SETTLE_BYTES = 64 << 20;

export interface UploadDevice {
  readonly device: GPUDevice;
  /** Where memory is taken from for the time of the upload. */
  readonly staging: Buffers;
  /** Whether the device is the host's own processor, which then brings blocks into their layout itself. */
  readonly software: boolean;
}

/** What the host keeps of the weights: vectors as f32. */
export interface HostVectors {
  /** All vectors of the placement at their places, followed by `extra` floats for the caller. */
  readonly small: Float32Array<ArrayBuffer>;
  /** Tensors that were asked for by name. */
  readonly named: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
}

/**
 * Brings everything of a placement from the file in one pass in file order, which a server without
 * ranges needs: matrices into `buffers`, in the layout of their types (kernels/layouts.ts), vectors and the tensors `names`
 * into host memory. Host memory stays at a few pieces whatever the file's size; what the GPU needs meanwhile is `staging`'s.
 */
export async function loadWeights(
  { device, staging, software }: UploadDevice,
  buffers: ReadonlyMap<string, GPUBuffer>,
  placement: Placement,
  file: ModelFile,
  want: { readonly names: readonly string[]; readonly extra: number },
  hooks: UploadHooks = {},
): Promise<HostVectors> {
  const small = new Float32Array(placement.smallLength + want.extra);
  const named = new Map<string, Float32Array<ArrayBuffer>>();
  const jobs: { tensor: TensorInfo; run: () => Promise<void> }[] = [];
  const vector = async (tensor: TensorInfo, out: Float32Array): Promise<void> => {
    const source = file.sources[tensor.part];
    const bytes = await source.read(tensor.offset, tensor.bytes, hooks.signal);
    checkCame(source.name, tensor.offset, tensor.bytes, bytes.length);
    const decode = plainDecoders[tensor.type.name];
    if (decode) decode(bytes, out, tensor.elements);
    // Quantised vectors are rare: a page fetches their decoders where it has some.
    else
      (await import("../file/decode/index.ts")).dequantize(
        tensor.type,
        bytes,
        out,
        tensor.elements,
      );
    advance(tensor.bytes);
  };
  for (const [name, at] of placement.vectors) {
    const tensor = file.tensors.get(name)!;
    const out = small.subarray(at, at + tensor.elements);
    jobs.push({ tensor, run: () => vector(tensor, out) });
  }
  for (const name of want.names) {
    const tensor = file.tensors.get(name)!;
    const out = new Float32Array(tensor.elements);
    named.set(name, out);
    jobs.push({ tensor, run: () => vector(tensor, out) });
  }
  for (const matrix of placement.matrices.values())
    jobs.push({ tensor: matrix.tensor, run: () => upload(matrix) });

  let loaded = 0;
  let unsettled = 0;
  const total = jobs.reduce((sum, job) => sum + job.tensor.bytes, 0);
  const advance = (bytes: number): void => {
    loaded += bytes;
    hooks.onProgress?.(loaded, total);
  };
  // wgpu takes what was written, and frees its staging memory, with a submit only.
  const settle = async (): Promise<void> => {
    device.queue.submit([]);
    await hooks.settle?.();
  };
  const repacked = [...placement.matrices.values()].flatMap(({ type, width, pieces }) =>
    layoutOf(type) ? pieces.map(({ rows }) => storedBytes(type, rows * width)) : [],
  );
  const repacker =
    repacked[0] && !software ? new Repacker(device, staging, Math.max(...repacked)) : undefined;
  const host = repacked[0] && software ? await import("./repack-host.ts") : undefined;
  const upload = async ({ tensor, type, pieces, rowBytes }: PlacedMatrix): Promise<void> => {
    for (const { buffer, offset, first, rows } of pieces) {
      const range = { tensor, first: first * rowBytes, bytes: rows * rowBytes };
      const out = buffers.get(buffer)!;
      const repack =
        layoutOf(type) &&
        (repacker
          ? await repacker.piece(type, out, offset, hooks.signal)
          : host!.repackOnHost(device, type, out, offset));
      for await (const { at, data } of words(file, range, hooks.signal)) {
        if (repack) repack.write(data);
        else device.queue.writeBuffer(out, offset + at, data);
        unsettled += data.byteLength;
        advance(Math.min(data.byteLength, range.bytes - at));
        if (unsettled >= SETTLE_BYTES) {
          unsettled = 0;
          await settle();
        }
      }
      repack?.end();
    }
  };
  jobs.sort((a, b) => a.tensor.part - b.tensor.part || a.tensor.offset - b.tensor.offset);
  try {
    for (const job of jobs) {
      hooks.signal?.throwIfAborted();
      await job.run();
    }
    await settle();
  } finally {
    repacker?.dispose();
  }
  return { small, named };
}

/** A range of a tensor as pieces of whole 32-bit words; the last is padded with zeros. */
async function* words(
  file: ModelFile,
  range: { tensor: TensorInfo; first: number; bytes: number },
  signal?: AbortSignal,
): AsyncGenerator<{ at: number; data: Uint8Array<ArrayBuffer> }> {
  const source = file.sources[range.tensor.part];
  const start = range.tensor.offset + range.first;
  let at = 0;
  let rest = new Uint8Array(0);
  for await (const piece of source.stream(start, range.bytes, signal)) {
    signal?.throwIfAborted();
    // No more is written than there is room for.
    const came = at + rest.length + piece.length;
    if (came > range.bytes) checkCame(source.name, start, range.bytes, came);
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
  checkCame(source.name, start, range.bytes, at + rest.length);
  if (rest.length > 0) {
    const last = new Uint8Array(4);
    last.set(rest);
    yield { at, data: last };
  }
}
