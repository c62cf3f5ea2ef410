/** Every shader that the engine can compose, for the headless compile check (`npm run check:wgsl`). */

import { quants } from "../../src/file/quants.ts";
import { argmax } from "../../src/kernels/argmax.ts";
import { attention } from "../../src/kernels/attention.ts";
import { ALL_ROWS, type KernelCall, NONE, type Place, read } from "../../src/kernels/call.ts";
import { compose, sourceOf, variantKey } from "../../src/kernels/compose.ts";
import { conv } from "../../src/kernels/conv.ts";
import { copy } from "../../src/kernels/copy.ts";
import { deltaNet } from "../../src/kernels/deltaNet.ts";
import { dot } from "../../src/kernels/dot.ts";
import { elementwise } from "../../src/kernels/elementwise.ts";
import { embed } from "../../src/kernels/embed.ts";
import { type LinearCall, linear } from "../../src/kernels/linear.ts";
import { moeGroup, moeLinear } from "../../src/kernels/moeLinear.ts";
import { moeRoute } from "../../src/kernels/moeRoute.ts";
import { moeScale, moeSum } from "../../src/kernels/moeSum.ts";
import { norm } from "../../src/kernels/norm.ts";
import { quantize } from "../../src/kernels/quantize.ts";
import { hasInt8, hasQuantKernel } from "../../src/kernels/quants.ts";
import { rope } from "../../src/kernels/rope.ts";
import { ropeStore } from "../../src/kernels/ropeStore.ts";
import { sample } from "../../src/kernels/sample.ts";
import { shift } from "../../src/kernels/shift.ts";
import type { SlotLayout } from "../../src/kernels/slot.ts";
import { ssm } from "../../src/kernels/ssm.ts";
import { wkv7 } from "../../src/kernels/wkv7.ts";
import { layoutSlot } from "../../src/plan/cache-layout.ts";

export interface Variant {
  readonly name: string;
  readonly code: string;
  /** The file and line that a line of `code` comes from. */
  readonly source: (line: number) => string;
}

const place = (buffer: number, width: number): Place => ({
  buffer: `arena:${buffer}`,
  offset: 0,
  stride: width,
  width,
  domain: ALL_ROWS,
});
const about = { label: "", layer: 0 };
const flags = [false, true];
const cacheTypes = ["f32", "f16", "q8_0", "q4_0"] as const;
const tunings = [
  {
    threads: 64,
    lanes: 1,
    weightRows: 2,
    batchWeightRows: 4,
    unroll: false,
    subgroup: 0,
    tile: 32,
  },
  {
    threads: 64,
    lanes: 16,
    weightRows: 4,
    batchWeightRows: 2,
    unroll: true,
    subgroup: 32,
    tile: 64,
  },
  {
    threads: 64,
    lanes: 16,
    weightRows: 4,
    batchWeightRows: 4,
    unroll: true,
    subgroup: 0,
    tile: 64,
  },
];

function* linears(): Generator<KernelCall> {
  for (const type of quants) {
    if (!hasQuantKernel(type)) continue;
    // All flags for one type; the others differ in `decode` alone.
    const every = type.name === "Q8_0";
    for (const rows of [1, 8, 64])
      for (const tuning of every ? tunings : tunings.slice(2))
        for (const gated of flags)
          for (const residual of every ? flags : [!gated])
            for (const normed of rows > 8 ? [false] : every ? flags : [true]) {
              const call: LinearCall = {
                ...about,
                type,
                weights: read("weights"),
                segments: [0, 1].map((i) => ({ base: 0, start: 0, end: 64 + 64 * i, bias: NONE })),
                // A row that is no multiple of 16 exists for the float types only.
                k: type.elements === 1 ? 264 : 256,
                first: 0,
                count: 64,
                x: place(0, 256),
                out: place(1, 128),
                residual: residual ? place(2, 128) : undefined,
                norm: normed ? { weight: 0, eps: 0 } : undefined,
                gate: gated ? { kind: "silu", alpha: 0, limit: 0 } : undefined,
                scale: 1,
              };
              yield linear(call, rows, tuning);
              if (hasInt8(type))
                yield linear({ ...call, x: place(3, 96), int8: true }, rows, tuning);
            }
    yield embed({
      ...about,
      type,
      weights: read("weights"),
      base: 0,
      first: 0,
      rows: 1,
      by: "token",
      offset: 0,
      out: place(0, 256),
      contextLength: 1,
    });
  }
}

function* quantized(): Generator<KernelCall> {
  for (const norm of [undefined, 0])
    yield quantize({ ...about, x: place(0, 256), out: place(1, 96), norm });
}

function* experts(): Generator<KernelCall> {
  const [x, route, lists, out] = [0, 1, 2, 3].map((buffer) => place(buffer, 512));
  const part = { height: 64, first: 0, base: 0, pieceFirst: 0, pieceRows: 512 };
  const one = { ...part, bias: NONE, scale: NONE };
  const gate = { kind: "silu", alpha: 0, limit: 0 } as const;
  for (const type of quants) {
    if (!hasQuantKernel(type)) continue;
    const every = type.name === "Q8_0";
    for (const tuning of every ? tunings : tunings.slice(2))
      for (const gated of flags)
        for (const tiled of flags)
          for (const routed of every ? flags : [true])
            yield moeLinear(
              {
                ...about,
                type,
                weights: read("weights"),
                parts: gated ? [one, one] : [one],
                // A row that is no multiple of 16 exists for the float types only.
                k: type.elements === 1 ? 264 : 256,
                count: 64,
                x,
                perExpert: !routed,
                route: routed ? route : undefined,
                lists: routed && tiled ? lists : undefined,
                tiled,
                out,
                experts: 8,
                used: 2,
                rows: 64,
                gate: gated ? gate : undefined,
              },
              tuning,
            );
  }
  for (const kind of ["softmax", "sigmoid", "softmaxChosen", "none"] as const)
    for (const groups of [1, 4])
      for (const normalize of flags) {
        const choice = { experts: 256, used: 8, groups, groupsUsed: 1, normalize, scale: 1 };
        yield moeRoute({ ...about, params: { ...choice, gate: kind }, x, out, bias: NONE });
      }
  yield moeGroup({ route, lists, experts: 512, used: 8, rows: 64, layer: 0 });
  for (const weighted of flags)
    for (const residual of [undefined, x])
      yield moeSum({ ...about, x, route, residual, out, used: 2, weighted });
  yield moeScale({ ...about, x, route, out, used: 2 });
  yield dot({ ...about, a: x, b: x, out, group: 64 });
}

function* recurrences(): Generator<KernelCall> {
  const [x, out] = [place(0, 128), place(1, 128)];
  const call = { ...about, out, runs: 1, state: { buffer: "cache:0", offset: 0, size: 65536 } };
  for (const kernel of [2, 3, 4]) yield conv({ ...call, x, weight: 0, bias: NONE, kernel });
  yield shift({ ...call, x });
  for (const stateWidth of [16, 64, 128, 256])
    for (const perState of flags) {
      const values = { x, dt: x, b: x, c: x, a: 0, d: NONE, bias: NONE };
      const heads = { heads: 2, headWidth: 64, groups: 1, stateWidth };
      yield ssm({ ...call, ...values, ...heads, perState });
    }
  for (const width of [64, 128, 256]) {
    const values = { r: x, w: x, k: x, v: x, a: x, b: x };
    yield wkv7({ ...call, ...values, headWidth: width });
    for (const g of [place(2, 2), x])
      for (const tiled of flags) {
        const shape = { heads: 2, keyHeads: 1, keyWidth: width, valueWidth: 64, scale: 1, tiled };
        yield deltaNet({ ...call, ...shape, q: x, k: x, v: x, g, beta: x });
      }
  }
}

function* caches(): Generator<KernelCall> {
  const slot = {
    kind: "kv",
    layer: 0,
    heads: 2,
    keyWidth: 64,
    valueWidth: 64,
    valueIsKeyPrefix: false,
  } as const;
  for (const cacheTypeK of cacheTypes)
    for (const cacheTypeV of cacheTypes)
      for (const window of [0, 32]) {
        const options = {
          contextLength: 4096,
          maxSequences: 1,
          cacheTypeK,
          cacheTypeV,
          chunk: 64,
          slack: 32,
        };
        const layout = layoutSlot({ ...slot, window }, 0, options) as SlotLayout;
        const at = { slot: layout, ...about };
        for (const style of ["norm", "neox"] as const)
          yield ropeStore({
            ...at,
            q: place(0, 128),
            k: place(0, 128),
            v: place(0, 128),
            out: place(1, 128),
            qNorm: 0,
            kNorm: 0,
            eps: 0,
            rope: { start: 0, rotated: 64, style, angles: 0 },
          });
        const kinds = ["sliding", "chunked", "symmetric"] as const;
        const turned = { k: place(0, 128), v: place(0, 128), qNorm: 0, kNorm: NONE, eps: 0 };
        const [norm, neox] = (["norm", "neox"] as const).map((style) => ({
          ...turned,
          rope: { start: 0, rotated: 64, style, angles: 0 },
        }));
        // What is appended does not depend on the window.
        for (const [splits, tiled, append, subgroup = 0] of [
          [1, false],
          [16, false],
          [16, false, undefined, 32],
          [1, true],
          [1, false, norm],
          [16, false, neox],
          [16, false, neox, 32],
        ] as const)
          for (const windowKind of append ? kinds.slice(0, 1) : kinds)
            yield* attention({
              append,
              ...at,
              q: place(0, 128),
              out: place(1, 128),
              scratch: place(2, 4096),
              splits,
              positions: splits === 1 ? 4 : 1,
              subgroup,
              unroll: subgroup > 0,
              tiled,
              heads: 4,
              scale: 1,
              softcap: 0,
              window,
              windowKind,
              sinks: NONE,
              slopes: NONE,
            });
      }
}

function* rest(): Generator<KernelCall> {
  for (const kind of ["rmsNorm", "layerNorm", "l2Norm"] as const)
    for (const group of [64, 1024])
      yield norm({
        ...about,
        kind,
        x: place(0, 1024),
        out: place(1, 1024),
        group,
        eps: 0,
        weight: 0,
        bias: NONE,
        perElement: false,
        residual: group === 64 ? undefined : place(2, 1024),
      });
  for (const style of ["norm", "neox"] as const)
    yield rope({
      ...about,
      x: place(0, 64),
      out: place(1, 64),
      headWidth: 64,
      start: 0,
      rotated: 64,
      style,
      angles: 0,
    });
  yield elementwise({ ...about, kind: "add", a: place(0, 64), out: place(1, 64) });
  for (const select of flags)
    yield copy({
      ...about,
      x: place(0, 64),
      out: place(1, 64),
      width: 64,
      groups: 1,
      from: 0,
      fromRun: 0,
      to: 0,
      toRun: 0,
      select,
    });
  yield* argmax(place(0, 4096), place(1, 4096), 0);
  yield* sample(place(0, 4096), place(1, 4096), 0, 4096);
}

/** Distinct shaders with names that tell what they are. */
/** Calls of every variant of every kernel; some variants more than once. */
export function* allCalls(): Generator<KernelCall> {
  yield* linears();
  yield* quantized();
  yield* experts();
  yield* recurrences();
  yield* caches();
  yield* rest();
}

export function allVariants(): Variant[] {
  const found = new Map<string, Variant>();
  for (const call of allCalls()) {
    const key = variantKey(call);
    if (!found.has(key))
      found.set(key, {
        name: `${call.kernel} ${call.variant} ${JSON.stringify(call.consts ?? {})}`,
        code: compose(call),
        source: (line) => sourceOf(call, line),
      });
  }
  return [...found.values()];
}
