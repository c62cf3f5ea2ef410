/** One dispatch as plain data: what the host files of kernels make, and plans are lists of. */
import type { ShaderParts } from "./compose.ts";

/** A range of a buffer that the plan knows by name ("arena:0", "weights:12", "cache:3", "small" …). */
export interface Binding {
  readonly buffer: string;
  readonly access: "read" | "write";
  /** Bytes; a multiple of 256. */
  readonly offset: number;
  /** Bytes; 0 = to the end of the buffer. */
  readonly size: number;
}

/** A member of a kernel's Params struct, in the order of the WGSL. */
export type Param = { readonly u: number } | { readonly f: number };
export const u = (value: number): Param => ({ u: value });
export const f = (value: number): Param => ({ f: value });
/** "No such offset" in every kernel. */
export const NONE = 0xffffffff;

/** Workgroups; the axis named by `rows` is ceil(row count / tile) and changes from step to step. */
export interface Grid {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly rows?: "x" | "y" | "z";
  readonly tile: number;
  /** Whose row count: all rows, or those whose output is wanted. */
  readonly domain: Domain;
}

/** 0 = all rows of the step, 1 = the rows whose output is wanted. */
export type Domain = 0 | 1;

export interface KernelCall extends ShaderParts {
  readonly params: readonly Param[];
  /** Group 1, from binding 1 on (binding 0 holds the params). */
  readonly bindings: readonly Binding[];
  /** Whether group 2 (lookup tables) is needed. */
  readonly tables: boolean;
  readonly grid: Grid;
  /** What it does, for people: the op's name. */
  readonly label: string;
  readonly layer: number;
  /** Type or other word that tells variants of a kernel apart. */
  readonly variant: string;
  /** Bytes of weights and cache read at the most, for `explain` and `bench`. */
  readonly bytes: number;
}

export const read = (buffer: string, offset = 0, size = 0): Binding => ({
  buffer,
  access: "read",
  offset,
  size,
});
export const write = (buffer: string, offset = 0, size = 0): Binding => ({
  buffer,
  access: "write",
  offset,
  size,
});

/** Where a value's rows stand in the arena: offsets and strides in f32 elements. */
export interface Place {
  readonly buffer: string;
  readonly offset: number;
  readonly stride: number;
  readonly width: number;
  readonly domain: Domain;
}

/** A grid of (x, rows, 1). */
export const perRow = (x: number, domain: Domain): Grid => ({
  x,
  y: 1,
  z: 1,
  rows: "y",
  tile: 1,
  domain,
});

/** `count` workgroups folded over x and y, because an axis holds 65,535 at most. */
export function folded(count: number): { x: number; y: number } {
  const y = Math.ceil(count / 65535);
  return { x: Math.ceil(count / y), y };
}

/** The bytes of a Params struct, padded to 16. */
export function encodeParams(params: readonly Param[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(params.length / 4) * 16);
  const view = new DataView(bytes.buffer);
  params.forEach((p, i) => {
    if ("u" in p) view.setUint32(4 * i, p.u >>> 0, true);
    else view.setFloat32(4 * i, p.f, true);
  });
  return bytes;
}
