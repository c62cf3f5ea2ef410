/** Every shader that the engine can compose, for the headless compile check (`npm run check:wgsl`). */
import { cacheTypes, layoutSlot, type SlotLayout } from "../cache/layout.ts";
import { quants } from "../gguf/quants.ts";
import { argmax } from "./argmax.ts";
import { attention } from "./attention.ts";
import { type KernelCall, NONE, type Place, read } from "./call.ts";
import { copy } from "./copy.ts";
import { type ElementwiseCall, elementwise } from "./elementwise.ts";
import { embed } from "./embed.ts";
import { linear } from "./linear.ts";
import { norm } from "./norm.ts";
import { shaderText, variantKey } from "./pipelines.ts";
import { hasQuantKernel } from "./quants.ts";
import { rope } from "./rope.ts";
import { ropeStore } from "./ropeStore.ts";
import { sample } from "./sample.ts";

export interface Variant {
  readonly name: string;
  readonly code: string;
}

const place = (buffer: number, width: number): Place => ({
  buffer: `arena:${buffer}`,
  offset: 0,
  stride: width,
  width,
  domain: 0,
});
const about = { label: "", layer: 0 };
const flags = [false, true];
const tunings = [
  { threads: 64, lanes: 1, outputs: 1 },
  { threads: 64, lanes: 16, outputs: 2 },
];

function* linears(): Generator<KernelCall> {
  for (const type of quants) {
    if (!hasQuantKernel(type)) continue;
    // All flags for one type; the others differ in `decode` alone.
    const every = type.name === "Q8_0";
    for (const rows of [1, 8, 64])
      for (const tuning of every ? tunings : tunings.slice(1))
        for (const gated of flags)
          for (const residual of every ? flags : [!gated])
            for (const normed of rows > 8 ? [false] : every ? flags : [true])
              yield linear(
                {
                  ...about,
                  type,
                  weights: read("weights"),
                  segments: [0, 1].map((i) => ({
                    base: 0,
                    start: 0,
                    end: 64 + 64 * i,
                    bias: NONE,
                  })),
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
                },
                rows,
                tuning,
              );
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
    });
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
  for (const typeK of cacheTypes)
    for (const typeV of cacheTypes)
      for (const window of [0, 32]) {
        const options = {
          contextLength: 4096,
          maxSequences: 1,
          typeK,
          typeV,
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
        for (const splits of [1, 16])
          for (const windowKind of ["sliding", "chunked", "symmetric"] as const)
            yield* attention({
              ...at,
              q: place(0, 128),
              out: place(1, 128),
              scratch: place(2, 4096),
              splits,
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
  const kinds: ElementwiseCall["kind"][] = [
    "add",
    "mul",
    "scale",
    "clamp",
    "activation",
    "softcap",
    "gated",
    "positionScale",
    "xielu",
  ];
  for (const kind of kinds)
    for (const act of kind === "activation" || kind === "gated" ? [...Array(13).keys()] : [0])
      yield elementwise({ ...about, kind, a: place(0, 64), out: place(1, 64), act: `${act}u` });
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
  yield* sample(place(0, 4096), place(1, 4096), 0);
}

/** Distinct shaders with names that tell what they are. */
export function allVariants(): Variant[] {
  const found = new Map<string, Variant>();
  for (const call of [...linears(), ...caches(), ...rest()]) {
    const key = variantKey(call);
    if (!found.has(key))
      found.set(key, {
        name: `${call.kernel} ${call.variant} ${JSON.stringify(call.consts ?? {})}`,
        code: shaderText(call),
      });
  }
  return [...found.values()];
}
