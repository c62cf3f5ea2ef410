/** What the kernel bench measures: a kernel over one weight matrix, as the calls that a plan would make. */
import type { QuantType } from "../src/file/quants.ts";
import { rowBytes } from "../src/file/quants.ts";
import { SMALL_ROWS } from "../src/graph/requests.ts";
import { ALL_ROWS, type KernelCall, NONE, type Place, read } from "../src/kernels/call.ts";
import { embed } from "../src/kernels/embed.ts";
import { type LinearCall, linear } from "../src/kernels/linear.ts";
import { moeLinear } from "../src/kernels/moeLinear.ts";
import { quantize, quantizedWidth } from "../src/kernels/quantize.ts";
import type { LinearTuning } from "../src/kernels/tuning.ts";

export const kernelNames = ["matvec", "matmul", "embed", "moe"] as const;
export type KernelName = (typeof kernelNames)[number];

/** Inputs × outputs of a linear map, or width × rows of a table. */
export interface Shape {
  readonly k: number;
  readonly n: number;
}

export interface Case extends Shape {
  readonly kernel: KernelName;
  readonly type: QuantType;
  readonly int8: boolean;
  readonly rows: number;
}

/** Experts of the moe case, and how many of them a row takes. */
const EXPERTS = 8;
const USED = 2;

/** A case's calls on the buffers "weights", "x", "out", "route" and, for int8, "bytes". */
export interface CaseCalls {
  /** One for each copy of the weights: enough of them, and no cache holds what the next one reads. */
  readonly calls: readonly KernelCall[];
  /** Fills "bytes" once. */
  readonly before: readonly KernelCall[];
  /** Bytes of weights that a call reads. */
  readonly bytes: number;
  /** 32-bit words of the buffers other than the weights. */
  readonly words: Readonly<Record<"x" | "out" | "route" | "bytes", number>>;
}

/** Matrices that a case's weights hold one behind the other. */
const matrices = (one: Case): number => (one.kernel === "moe" ? EXPERTS : 1);

/** Bytes of a copy of the weights, and elements. */
export const weightBytes = (one: Case): number => matrices(one) * one.n * rowBytes(one.type, one.k);
export const weightElements = (one: Case): number => matrices(one) * one.n * one.k;

const place = (buffer: string, width: number): Place => ({
  buffer,
  offset: 0,
  stride: Math.ceil(width / 4) * 4,
  width,
  domain: ALL_ROWS,
});

/** The calls over copies of the weights that stand `stride` bytes apart. */
export function callsOf(
  one: Case,
  copies: number,
  stride: number,
  tuning: LinearTuning,
): CaseCalls {
  const { kernel, type, k, n, rows } = one;
  const x = place("x", k);
  const out = place("out", kernel === "embed" ? k : kernel === "moe" ? USED * n : n);
  const bytes = place("bytes", quantizedWidth(Math.ceil(k / 32) * 32));
  const route = place("route", 2 * USED);
  const about = { label: kernel, layer: 0 };
  const make = (copy: number): KernelCall => {
    const weights = read("weights", copy * stride, stride);
    if (kernel === "embed")
      return embed({
        ...about,
        type,
        weights,
        base: 0,
        first: 0,
        rows: n,
        by: "token",
        offset: 0,
        out,
        contextLength: 1,
      });
    if (kernel === "moe") {
      const part = { height: n, first: 0, base: 0, pieceFirst: 0, pieceRows: EXPERTS * n };
      return moeLinear(
        {
          ...about,
          type,
          weights,
          parts: [{ ...part, bias: NONE, scale: NONE }],
          k,
          count: n,
          x,
          perExpert: false,
          route,
          tiled: false,
          out,
          experts: EXPERTS,
          used: USED,
          rows,
        },
        tuning,
      );
    }
    const segments = [{ base: 0, start: 0, end: n, bias: NONE }];
    const call: LinearCall = {
      ...about,
      type,
      weights,
      segments,
      k,
      first: 0,
      count: n,
      x,
      out,
      scale: 1,
    };
    const most = kernel === "matvec" ? rows : Math.max(rows, SMALL_ROWS + 1);
    return linear(one.int8 ? { ...call, x: bytes, int8: true } : call, most, tuning);
  };
  const perRow = rowBytes(type, k);
  const readRows = { matvec: n, matmul: n, embed: rows, moe: rows * USED * n }[kernel];
  return {
    calls: Array.from({ length: copies }, (_, copy) => make(copy)),
    before: one.int8 ? [quantize({ ...about, x, out: bytes })] : [],
    bytes: readRows * perRow,
    words: {
      x: rows * x.stride,
      out: rows * out.stride,
      route: rows * route.stride,
      bytes: rows * bytes.stride,
    },
  };
}

/** Experts of each row, different ones side by side, as moeRoute would leave them. */
export function routeOf(rows: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(rows * 2 * USED);
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < USED; c++) values[row * 2 * USED + c] = (row * USED + 3 * c) % EXPERTS;
  return values;
}
