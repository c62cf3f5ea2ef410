/** A random linear map: its dispatch with all buffers, and what the CPU path makes of the same numbers. */
import { fillRandom, random } from "../../bench/random-blocks.ts";
import { stored } from "../../bench/stored.ts";
import { DecodedMatrix } from "../../src/cpu/matrix.ts";
import { gated } from "../../src/cpu/ops/gated.ts";
import { rmsNorm } from "../../src/cpu/ops/norm.ts";
import { dequantize } from "../../src/file/decode/index.ts";
import { type QuantType, quantByName, rowBytes } from "../../src/file/quants.ts";
import type { Activation } from "../../src/graph/ops.ts";
import { type KernelCall, NONE, type Place, read } from "../../src/kernels/call.ts";
import { layoutOf } from "../../src/kernels/layouts.ts";
import { type LinearCall, type LinearSegment, linear } from "../../src/kernels/linear.ts";
import { quantize, quantizedWidth } from "../../src/kernels/quantize.ts";
import type { LinearTuning } from "../../src/kernels/tuning.ts";
import { type Job, Numbers, placeOf, poisoned, roomFor, rowsOf, spread } from "./run.ts";

export interface LinearOptions {
  readonly type: string;
  readonly k: number;
  /** Outputs of each segment; of gate and up when gated. */
  readonly parts: readonly number[];
  readonly rows: number;
  readonly tuning?: Partial<LinearTuning>;
  readonly gate?: Activation | "swigluOai";
  readonly norm?: boolean;
  readonly bias?: boolean;
  readonly residual?: boolean;
  readonly scale?: number;
  /** The first of a part's rows that is used: its output 0 is made by this row of the tensor. */
  readonly skip?: number;
  /** Outputs that the dispatch makes. @default all */
  readonly first?: number;
  readonly count?: number;
  /** Rows the plan is made for. @default rows */
  readonly most?: number;
  /** Activations as signed bytes; what is expected is made of the rounded ones too. */
  readonly int8?: boolean;
  readonly seed?: number;
}

export interface LinearCase {
  readonly job: Job;
  readonly call: KernelCall;
  readonly out: Place;
  /** Of the outputs made, at the place {@link made}. */
  readonly expected: Float32Array;
  /** The outputs that this dispatch makes: columns [first, first + count) of `out`. */
  readonly made: Place;
}

export const typeOf = (name: string): QuantType => quantByName(name) as QuantType;

/** The words of `elements` weights in GPU memory; `bytes` are whole words of a file's. */
export function wordsOf(
  type: QuantType,
  bytes: Uint8Array<ArrayBuffer>,
  elements: number,
): Uint32Array<ArrayBuffer> {
  if (!layoutOf(type)) return new Uint32Array(bytes.buffer);
  return new Uint32Array(stored(type, bytes.subarray(0, rowBytes(type, elements))).buffer);
}

/** Random rows of a type as in a file, and their values. */
export function randomRows(
  type: QuantType,
  rows: number,
  width: number,
  seed: number,
): { bytes: Uint8Array<ArrayBuffer>; values: Float32Array<ArrayBuffer> } {
  const bytes = new Uint8Array(Math.ceil((rows * rowBytes(type, width)) / 4) * 4);
  const blocks = bytes.subarray(0, rows * rowBytes(type, width)) as Uint8Array<ArrayBuffer>;
  fillRandom(blocks, type, random(seed));
  const values = new Float32Array(rows * width);
  dequantize(type, blocks, values, values.length);
  return { bytes, values };
}

/** Runs of 16 rounded to whole multiples of their largest size over 127. */
function rounded(x: Float32Array): Float32Array {
  const out = new Float32Array(x.length);
  for (let from = 0; from < x.length; from += 16) {
    const run = x.subarray(from, from + 16);
    const scale = run.reduce((most, v) => Math.max(most, Math.abs(v)), 0) / 127;
    out.set(
      run.map((v) => (scale === 0 ? 0 : Math.round(v / scale) * scale)),
      from,
    );
  }
  return out;
}

/** A small buffer that grows by vectors, with some space between them. */
class Small {
  readonly values: number[] = [1, 2, 3, 4];
  add(vector: Float32Array): number {
    const at = this.values.length;
    this.values.push(...vector);
    while (this.values.length % 4 !== 0) this.values.push(0.5);
    return at;
  }
}

export function linearCase(options: LinearOptions): LinearCase {
  const { k, parts, rows, gate, skip = 0, scale = 1, seed = 1 } = options;
  const type = typeOf(options.type);
  const numbers = new Numbers(seed);
  const small = new Small();
  const eps = 1e-5;
  const x = numbers.floats(rows * k);
  const normWeight = numbers.floats(k).map((v) => 1 + 0.5 * v);
  const norm = options.norm ? { weight: small.add(normWeight), eps } : undefined;
  const exact = norm ? rmsNorm(x, normWeight, eps, k) : x;
  const input = options.int8 ? rounded(exact) : exact;

  const words: number[] = [7, 7, 7, 7];
  const segments: LinearSegment[] = [];
  const results: Float32Array[] = [];
  let end = 0;
  parts.forEach((height, p) => {
    const held = height + skip;
    const { bytes, values } = randomRows(type, held, k, 100 * seed + p);
    const start = gate ? 0 : end;
    end = start + height;
    const bias = options.bias ? numbers.floats(held, 0.3) : undefined;
    segments.push({
      base: words.length,
      start: start - skip,
      end,
      bias: bias ? small.add(bias) : NONE,
    });
    words.push(...wordsOf(type, bytes, held * k), 0xffffffff);
    // Some types are read by four words, which the placement's 256 bytes are a multiple of.
    while (words.length % 4 !== 0) words.push(0xffffffff);
    const y = new Float32Array(rows * height);
    const range = { first: skip, out: height, from: 0, to: height };
    new DecodedMatrix(values, k).multiply(input, input.length / k, { ...range, bias, scale }, y);
    results.push(y);
  });

  const width = gate ? parts[0] : end;
  const whole = new Float32Array(rows * width);
  const constants = { alpha: 1.702, limit: 0.2 };
  if (gate) whole.set(gated(results[0], results[1], gate, constants.alpha, constants.limit));
  else {
    let column = 0;
    results.forEach((y, p) => {
      for (let r = 0; r < rows; r++)
        whole.set(y.subarray(r * parts[p], (r + 1) * parts[p]), r * width + column);
      column += parts[p];
    });
  }
  const residual = options.residual ? numbers.floats(rows * width) : undefined;
  if (residual) for (let i = 0; i < whole.length; i++) whole[i] += residual[i];

  const first = options.first ?? 0;
  const count = options.count ?? width - first;
  const expected = new Float32Array(rows * count);
  for (let r = 0; r < rows; r++)
    expected.set(whole.subarray(r * width + first, r * width + first + count), r * count);

  const xPlace = placeOf("x", k, { offset: 8, gap: 4 });
  const out = placeOf("out", width, { offset: 5, gap: 3 });
  const plus = placeOf("residual", width, { offset: 2, gap: 1 });
  const tuning = {
    threads: 64,
    lanes: 1,
    weightRows: 2,
    batchWeightRows: 4,
    unroll: false,
    subgroup: 0,
    tile: 32,
    ...options.tuning,
  };
  const map: LinearCall = {
    type,
    weights: read("weights"),
    segments,
    k,
    first,
    count,
    x: xPlace,
    out,
    ...(residual && { residual: plus }),
    ...(norm && { norm }),
    ...(gate && { gate: { kind: gate, ...constants } }),
    scale,
    label: "test",
    layer: 0,
  };
  const most = options.most ?? rows;
  const bytes = placeOf("bytes", quantizedWidth(k), { offset: 8, gap: 4 });
  const call = linear(options.int8 ? { ...map, x: bytes, int8: true } : map, most, tuning);
  const about = { label: "test", layer: 0 };
  const before = options.int8
    ? [quantize({ x: xPlace, out: bytes, norm: norm?.weight, ...about })]
    : [];
  const job: Job = {
    calls: [...before, call],
    buffers: {
      ...(options.int8 && { bytes: poisoned(roomFor(bytes, rows)) }),
      x: spread(xPlace, x),
      weights: Uint32Array.from(words),
      small: Float32Array.from(small.values),
      out: poisoned(roomFor(out, rows)),
      ...(residual && { residual: spread(plus, residual) }),
    },
    rows: rowsOf(rows),
  };
  return { job, call, out, expected, made: { ...out, offset: out.offset + first, width: count } };
}
