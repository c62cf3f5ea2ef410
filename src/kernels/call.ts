/** One dispatch as plain data: what the host files of kernels make, and plans are lists of. */
import { type KernelParams, wgsl } from "../../wgsl/mod.ts";
import { includes, type ShaderParts } from "./compose.ts";

/** A range of a buffer that the plan knows by name ("arena:0", "weights:12", "cache:3", "small" …). */
export interface Binding {
  readonly buffer: string;
  readonly access: "read" | "write";
  /** Bytes; a multiple of 256. */
  readonly offset: number;
  /** Bytes; 0 = to the end of the buffer. */
  readonly size: number;
}

/** "There is none" where a kernel takes an offset or index; the same in wgsl/lib/none.wgsl. */
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

/** All rows of a step; also the index of their count in a step's header. */
export const ALL_ROWS = 0;
/** The rows of a step whose output is wanted. */
export const OUTPUT_ROWS = 1;
/** Which rows a value has. */
export type Domain = typeof ALL_ROWS | typeof OUTPUT_ROWS;

export interface KernelCall extends ShaderParts {
  readonly kernel: keyof KernelParams;
  /** By the names of the kernel's struct Params. */
  readonly params: Readonly<Record<string, number | readonly number[]>>;
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
  /** Most bytes of weights and cache that it reads, for `explain` and `bench`. */
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

/** What tells a kernel's call from another: everything else has a default. */
export interface KernelOptions<K extends keyof KernelParams>
  extends Pick<KernelCall, "bindings" | "grid">,
    Partial<Pick<KernelCall, "snippets" | "consts" | "variant" | "bytes">> {
  readonly params: Readonly<KernelParams[K]>;
}

/**
 * A call of wgsl/`name`.wgsl. What `options` leaves out is none: no
 * snippets that vary, no constants, no name of a variant, no bytes of weights or cache.
 *
 * @param about what it does, for people, and in which layer; a label alone stands outside of the layers
 */
export function kernel<K extends keyof KernelParams>(
  name: K,
  about: string | { readonly label: string; readonly layer: number },
  options: KernelOptions<K>,
): KernelCall {
  const { snippets = [], consts, params, bindings, grid, variant = "", bytes = 0 } = options;
  const { label, layer } = typeof about === "string" ? { label: about, layer: -1 } : about;
  return {
    kernel: name,
    snippets,
    ...(consts && { consts }),
    params,
    bindings,
    tables: includes({ kernel: name, snippets }, "lib/tables"),
    grid,
    label,
    layer,
    variant,
    bytes,
  };
}

/** The bytes of a call's Params, laid out as WGSL lays out the struct, padded to 16. */
export function encodeParams({ kernel, params }: KernelCall): Uint8Array<ArrayBuffer> {
  const words: { readonly at: number; readonly type: string; readonly value: number }[] = [];
  let at = 0;
  for (const [name, type] of wgsl[kernel].params!) {
    const value = params[name];
    const values = typeof value === "number" ? [value] : value;
    at = Math.ceil(at / values.length) * values.length;
    for (const one of values) words.push({ at: at++, type, value: one });
  }
  const bytes = new Uint8Array(Math.ceil(at / 4) * 16);
  const view = new DataView(bytes.buffer);
  for (const { at, type, value } of words) {
    if (type.includes("f32")) view.setFloat32(4 * at, value, true);
    else view.setUint32(4 * at, value >>> 0, true);
  }
  return bytes;
}
