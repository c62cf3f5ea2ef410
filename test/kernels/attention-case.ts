/** Random attention over a slab: its dispatches with all buffers, and what the CPU path makes of the same cache. */

import { attention as attentionOnCpu } from "../../src/cpu/ops/attention.ts";
import { alibiSlope } from "../../src/graph/alibi.ts";
import type { CacheType } from "../../src/graph/settings.ts";
import { attention, scratchWidth } from "../../src/kernels/attention.ts";
import { NONE, type Place } from "../../src/kernels/call.ts";
import { type Job, Numbers, placeOf, poisoned, roomFor, rowsOf, spread } from "./run.ts";
import { Slab } from "./slab.ts";

export interface AttentionOptions {
  readonly heads: number;
  readonly kvHeads: number;
  readonly keyWidth: number;
  /** @default keyWidth */
  readonly valueWidth?: number;
  readonly prefix?: boolean;
  readonly types?: readonly [CacheType, CacheType];
  readonly splits?: number;
  readonly positions?: number;
  /** Threads of the device's smallest subgroup; 0 = do without. @default 0 */
  readonly subgroup?: number;
  /** @default false */
  readonly unroll?: boolean;
  /** The kernel of prefill chunks. @default false */
  readonly tiled?: boolean;
  readonly window?: number;
  readonly windowKind?: "sliding" | "chunked" | "symmetric";
  /** Keeps only a window in the slab. */
  readonly ring?: boolean;
  readonly softcap?: number;
  readonly sinks?: boolean;
  readonly alibi?: number;
  readonly causal?: boolean;
  /** For each sequence: its length and how many of its last positions are rows of the step. */
  readonly sequences: readonly (readonly [length: number, rows: number])[];
  readonly seed?: number;
}

export interface AttentionCase {
  readonly job: Job;
  readonly out: Place;
  readonly expected: Float32Array;
}

const CONTEXT = 320;

export function attentionCase(options: AttentionOptions): AttentionCase {
  const { heads, kvHeads, keyWidth, prefix = false, splits = 1, window = 0 } = options;
  const {
    tiled = false,
    softcap = 0,
    alibi = 0,
    causal = true,
    windowKind = "sliding",
    sequences,
  } = options;
  const valueWidth = options.valueWidth ?? keyWidth;
  const [cacheTypeK, cacheTypeV] = options.types ?? ["f32", "f32"];
  const numbers = new Numbers(options.seed ?? heads + keyWidth);
  const slab = new Slab(
    {
      kind: "kv",
      layer: 0,
      heads: kvHeads,
      keyWidth,
      valueWidth,
      valueIsKeyPrefix: prefix,
      window: options.ring ? window : 0,
    },
    {
      contextLength: CONTEXT,
      maxSequences: sequences.length,
      cacheTypeK,
      cacheTypeV,
      chunk: Math.max(...sequences.map(([, rows]) => rows)),
      slack: 4,
    },
  );
  const sinks = options.sinks ? numbers.floats(heads, 2) : undefined;
  const scale = 1 / Math.sqrt(keyWidth);
  const widthQ = heads * keyWidth;
  const widthOut = heads * valueWidth;
  const queries: Float32Array[] = [];
  const results: Float32Array[] = [];
  sequences.forEach(([length, rows], sequence) => {
    const keys = new Float32Array(length * kvHeads * keyWidth);
    const ownValues = new Float32Array(length * kvHeads * valueWidth);
    for (let p = 0; p < length; p++) {
      const key = numbers.floats(kvHeads * keyWidth, 2);
      slab.write(sequence, p, key, numbers.floats(kvHeads * valueWidth));
      const stored = slab.read(sequence, p);
      keys.set(stored.keys, p * stored.keys.length);
      if (!prefix) ownValues.set(stored.values, p * stored.values.length);
    }
    const q = numbers.floats(rows * widthQ, 2);
    queries.push(q);
    results.push(
      attentionOnCpu(q, length - rows, length, {
        keys,
        values: prefix ? keys : ownValues,
        valueStride: kvHeads * (prefix ? keyWidth : valueWidth),
        kvHeads,
        keyWidth,
        valueWidth,
        heads,
        scale,
        softcap,
        window,
        windowKind,
        ...(sinks && { sinks }),
        alibi,
        causal,
      }),
    );
  });
  const count = sequences.reduce((sum, [, rows]) => sum + rows, 0);
  const q = placeOf("q", widthQ, { offset: 8, gap: 4 });
  const out = placeOf("out", widthOut, { offset: 5, gap: 3 });
  const scratch = placeOf("scratch", scratchWidth(heads, splits, valueWidth), { offset: 64 });
  const slopes =
    alibi > 0
      ? Float32Array.from({ length: heads }, (_, head) => alibiSlope(head, heads, alibi))
      : undefined;
  const small = new Float32Array(4 + 2 * heads);
  if (sinks) small.set(sinks, 4);
  if (slopes) small.set(slopes, 4 + heads);
  const calls = attention({
    slot: slab.layout,
    q,
    out,
    scratch,
    splits,
    positions: options.positions ?? (splits === 1 ? 4 : 1),
    subgroup: options.subgroup ?? 0,
    unroll: options.unroll ?? false,
    tiled,
    heads,
    scale,
    softcap,
    window,
    windowKind,
    sinks: sinks ? 4 : NONE,
    slopes: slopes ? 4 + heads : NONE,
    label: "test",
    layer: 0,
  });
  const rows = sequences.flatMap(([length, n], sequence) =>
    rowsOf(n, { sequence, from: length - n, ...(!causal && { end: length }) }),
  );
  return {
    job: {
      calls,
      buffers: {
        q: spread(q, join(queries)),
        [slab.layout.buffer]: slab.words,
        small,
        out: poisoned(roomFor(out, count)),
        scratch: poisoned(roomFor(scratch, count)),
      },
      rows,
      pages: slab.pages,
    },
    out,
    expected: join(results),
  };
}

function join(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
