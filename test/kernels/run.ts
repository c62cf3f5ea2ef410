/** Runs kernel calls on a test's own buffers, as a plan's replay does, and reads what they wrote. */
import { expect } from "vitest";
import { random } from "../../bench/random-blocks.ts";
import { quantTables } from "../../src/file/grids.ts";
import { Pipelines } from "../../src/gpu/pipelines.ts";
import { encodeParams, type KernelCall, OUTPUT_ROWS, type Place } from "../../src/kernels/call.ts";
import { compose } from "../../src/kernels/compose.ts";
import { encodeStep, type Row, slotBytes } from "../../src/plan/steps.ts";
import { Buffers, BufferUsage, MapMode } from "../../src/platform/buffers.ts";
import { nmse } from "../conformance/archs.ts";
import { openTestGpu } from "../gpu.ts";

/** A NaN that no kernel makes: what nothing wrote still has these bits. */
export const POISON = 0x7fc0dead;

/** What a buffer holds before the calls. */
export type Contents = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

export interface Job {
  readonly calls: readonly KernelCall[];
  /** By the names that the calls bind; "small", "angles", "spare", "sampled" and "history" may be left out. */
  readonly buffers: Readonly<Record<string, Contents>>;
  readonly rows: readonly Row[];
  readonly pages?: Uint32Array<ArrayBuffer>;
  /** Changes each shader's text before it is compiled. */
  readonly mutate?: (text: string) => string;
}

/** The pipeline of a call whose shader was changed. */
function mutant(
  device: GPUDevice,
  pipelines: Pipelines,
  call: KernelCall,
  mutate: (text: string) => string,
): Promise<GPUComputePipeline> {
  return device.createComputePipelineAsync({
    layout: device.createPipelineLayout({
      bindGroupLayouts: [
        pipelines.layouts.step,
        pipelines.groupLayout(call),
        ...(call.tables ? [pipelines.layouts.tables] : []),
      ],
    }),
    compute: { module: device.createShaderModule({ code: mutate(compose(call)) }) },
  });
}

/** Runs the calls one after the other; resolves with the words of the buffer `wanted`. */
export async function runCalls(
  job: Job,
  wanted: string,
): Promise<{ bits: Uint32Array<ArrayBuffer>; floats: Float32Array<ArrayBuffer> }> {
  const gpu = await openTestGpu();
  const { device } = gpu;
  const pipelines = Pipelines.of(device);
  const { mutate } = job;
  if (!mutate) await pipelines.compile(job.calls);
  const buffers = new Buffers(gpu);
  const { storage, uniform, copyTarget, copySource, mapRead } = BufferUsage;
  const made = (contents: Contents | Uint8Array<ArrayBuffer>, usage: number): GPUBuffer => {
    const buffer = buffers.allocate("test", Math.max(16, contents.byteLength), usage | copyTarget);
    if (contents.length > 0) device.queue.writeBuffer(buffer, 0, contents);
    return buffer;
  };
  try {
    const named = new Map<string, GPUBuffer>();
    const defaults = { small: 16, angles: 2, spare: 4, sampled: 64, history: 4096 };
    for (const [name, length] of Object.entries(defaults))
      named.set(name, made(new Float32Array(length), storage | copySource));
    for (const [name, contents] of Object.entries(job.buffers))
      named.set(name, made(contents, storage | copySource));
    const words = new Uint32Array(slotBytes(job.rows.length) / 4);
    encodeStep(words, 0, job.rows, 0);
    const step = pipelines.stepGroup(
      made(words, storage),
      words.byteLength,
      made(job.pages ?? new Uint32Array(4), storage),
    );
    const tables = pipelines.tablesGroup(made(quantTables(), storage));
    const outputs = job.rows.filter((row) => row.output).length;
    const ready = await Promise.all(
      job.calls.map((call) =>
        mutate ? mutant(device, pipelines, call, mutate) : pipelines.get(call),
      ),
    );
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    job.calls.forEach((call, i) => {
      const params = { buffer: made(encodeParams(call), uniform) };
      pass.setPipeline(ready[i]);
      pass.setBindGroup(0, step, [0]);
      pass.setBindGroup(
        1,
        device.createBindGroup({
          layout: pipelines.groupLayout(call),
          entries: [
            { binding: 0, resource: params },
            ...call.bindings.map((b, j): GPUBindGroupEntry => {
              const buffer = named.get(b.buffer);
              if (!buffer) throw new Error(`no buffer ${b.buffer} for ${call.kernel}`);
              const size = b.size || undefined;
              return { binding: j + 1, resource: { buffer, offset: b.offset, size } };
            }),
          ],
        }),
      );
      if (call.tables) pass.setBindGroup(2, tables);
      const grid = { x: call.grid.x, y: call.grid.y, z: call.grid.z };
      if (call.grid.rows !== undefined) {
        const count = call.grid.domain === OUTPUT_ROWS ? outputs : job.rows.length;
        grid[call.grid.rows] = Math.ceil(count / call.grid.tile);
      }
      pass.dispatchWorkgroups(grid.x, grid.y, grid.z);
    });
    pass.end();
    const source = named.get(wanted)!;
    const staging = buffers.allocate("staging", source.size, mapRead | copyTarget);
    encoder.copyBufferToBuffer(source, 0, staging, 0, source.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MapMode.read);
    const copy = staging.getMappedRange().slice(0);
    gpu.check();
    return { bits: new Uint32Array(copy), floats: new Float32Array(copy) };
  } finally {
    buffers.disposeAll();
  }
}

/** Rows of consecutive positions of a sequence, each with an output unless told. */
export function rowsOf(
  count: number,
  at: { sequence?: number; from?: number; output?: (row: number) => boolean; end?: number } = {},
): Row[] {
  const { sequence = 0, from = 0, output = () => true, end } = at;
  return Array.from({ length: count }, (_, i) => ({
    sequence,
    position: from + i,
    token: 0,
    end: end ?? from + i + 1,
    output: output(i),
  }));
}

/** A value in a buffer; the stride is the width rounded up to whole vec4s and `gap` more. */
export const placeOf = (
  buffer: string,
  width: number,
  at: { offset?: number; gap?: number; domain?: 0 | 1 } = {},
): Place => ({
  buffer,
  width,
  offset: at.offset ?? 0,
  stride: Math.ceil(width / 4) * 4 + (at.gap ?? 0),
  domain: at.domain ?? 0,
});

/** Uniform numbers from −1 to 1, the same in every run. */
export class Numbers {
  readonly #next: () => number;
  constructor(seed: number) {
    this.#next = random(seed);
  }
  floats(count: number, reach = 1): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length: count }, () => reach * (this.#next() / 2 ** 31 - 1));
  }
  /** An integer from `from` to `to`, both included. */
  integer(from: number, to: number): number {
    return from + (this.#next() % (to - from + 1));
  }
  pick<T>(list: readonly T[]): T {
    return list[this.integer(0, list.length - 1)];
  }
}

export const poisoned = (count: number): Uint32Array<ArrayBuffer> =>
  new Uint32Array(count).fill(POISON);

/** Elements that a buffer needs for `rows` rows of a place, and some more. */
export const roomFor = (place: Place, rows: number): number =>
  place.offset + place.stride * rows + 8;

/** [rows][width] values at their places, NaN around them. */
export function spread(place: Place, values: Float32Array): Uint32Array<ArrayBuffer> {
  const rows = values.length / place.width;
  const bits = poisoned(roomFor(place, rows));
  const floats = new Float32Array(bits.buffer);
  for (let r = 0; r < rows; r++)
    floats.set(
      values.subarray(r * place.width, (r + 1) * place.width),
      place.offset + r * place.stride,
    );
  return bits;
}

/** The [rows][width] values at a place. */
export function gather(place: Place, rows: number, floats: Float32Array): Float32Array {
  const out = new Float32Array(rows * place.width);
  for (let r = 0; r < rows; r++) {
    const at = place.offset + r * place.stride;
    out.set(floats.subarray(at, at + place.width), r * place.width);
  }
  return out;
}

/** What is wrong with a result: too far from `expected` (NaN counts), or written outside of its place. */
export function mistake(
  place: Place,
  bits: Uint32Array<ArrayBuffer>,
  expected: Float32Array,
  bound = 1e-10,
): string | undefined {
  const rows = expected.length / place.width;
  const actual = gather(place, rows, new Float32Array(bits.buffer));
  const error = nmse(actual, expected);
  if (!(error <= bound)) return `NMSE ${error}, bound ${bound}`;
  const outside = bits.findIndex((word, i) => {
    const row = Math.floor((i - place.offset) / place.stride);
    const column = i - place.offset - row * place.stride;
    const inside = i >= place.offset && row < rows && column < place.width;
    return !inside && word !== POISON;
  });
  return outside < 0 ? undefined : `element ${outside} outside of the rows was written`;
}

export function expectRows(
  place: Place,
  bits: Uint32Array<ArrayBuffer>,
  expected: Float32Array,
  bound?: number,
): void {
  expect(mistake(place, bits, expected, bound)).toBeUndefined();
}
