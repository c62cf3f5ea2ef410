/** Rope tables from metadata: base, linear scaling, YaRN, LongRoPE and frequency factors. */
import type { RopeTable } from "../../graph/ops.ts";
import type { ModelBuilder } from "./model.ts";

export interface RopeSettings {
  /** Rotated elements; default `rope.dimension_count`, else the whole head. */
  rotated?: number;
  base?: number;
  /** 1 / linear factor; default from `rope.scaling.factor`. */
  freqScale?: number;
  /** YaRN's mix; default 1 where the file asks for YaRN. */
  extFactor?: number;
  /** YaRN's faster border where the file does not say. */
  betaFast?: number;
  /** Magnitude; default what the file asks for. */
  attnFactor?: number;
  /** Position sections, for multi-section rope. */
  sections?: readonly number[];
  interleaved?: boolean;
  /** False: no frequency factors even where the file has them. */
  factors?: boolean;
  /** YaRN's multiplier of the logarithm (`mscale_all_dim`), and the `mscale` it is divided into. */
  logMultiplier?: number;
  mscale?: number;
}

/** The magnitude that YaRN gives at a scaling factor. */
export function yarnMagnitude(factor: number, multiplier: number): number {
  return factor <= 1 ? 1 : 0.1 * multiplier * Math.log(factor) + 1;
}

/** By how much the file stretches positions; 1 = not at all. */
export function scalingFactor({ h }: ModelBuilder): number {
  if (h.string("rope.scaling.type", "linear") === "none") return 1;
  const factor = h.number("rope.scaling.factor", h.number("rope.scale_linear", 0));
  if (factor < 0) h.fail("rope.scaling.factor", factor, "a positive number");
  return factor === 0 ? 1 : factor;
}

/** Whether the file asks for YaRN. */
export function isYarn({ h }: ModelBuilder): boolean {
  return h.string("rope.scaling.type", "linear") === "yarn";
}

/** The table that the file's `rope.*` keys describe, with a family's own settings on top. */
export function ropeTable(m: ModelBuilder, settings: RopeSettings = {}): RopeTable {
  const { h } = m;
  const rotated = settings.rotated ?? h.integer("rope.dimension_count", h.keyWidth);
  if (rotated < 2 || rotated % 2 !== 0)
    h.fail("rope.dimension_count", rotated, "an even number of at least 2");
  const base = settings.base ?? h.number("rope.freq_base", 10000);
  if (base <= 1) h.fail("rope.freq_base", base, "more than 1");
  const freqScale = settings.freqScale ?? 1 / scalingFactor(m);
  const extFactor =
    settings.extFactor ?? h.number("rope.scaling.yarn_ext_factor", isYarn(m) ? 1 : 0);
  const originalContext = h.within(
    "rope.scaling.original_context_length",
    1,
    2 ** 30,
    h.trainedContext,
  );
  let attnFactor = 1;
  if (extFactor !== 0) {
    // The op multiplies by YaRN's own magnitude; dividing by it here leaves the one that is meant.
    const factor = scalingFactor(m);
    const meant = settings.logMultiplier
      ? yarnMagnitude(factor, settings.mscale ?? 1) / yarnMagnitude(factor, settings.logMultiplier)
      : yarnMagnitude(factor, 1);
    attnFactor = meant / (1 + 0.1 * Math.log(factor));
  }
  return {
    rotated,
    base,
    freqScale,
    extFactor,
    attnFactor: settings.attnFactor ?? attnFactor * h.number("rope.scaling.attn_factor", 1),
    betaFast: h.number("rope.scaling.yarn_beta_fast", settings.betaFast ?? 32),
    betaSlow: h.number("rope.scaling.yarn_beta_slow", 1),
    originalContext,
    factors: settings.factors === false ? undefined : ropeFactors(m, originalContext),
    sections: settings.sections,
    interleaved: settings.interleaved,
  };
}

/** LongRoPE has two sets of factors: the long one for contexts beyond the original. */
function ropeFactors(m: ModelBuilder, originalContext: number): string | undefined {
  const long = m.h.contextLength > originalContext;
  const stems = [long ? "rope_factors_long" : "rope_factors_short", "rope_freqs"];
  const stem = stems.find((name) => m.has(name));
  return stem === undefined ? undefined : m.tensor(stem);
}

/**
 * How a head is rotated: neighbouring elements are a pair (norm), or those of its two halves
 * (neox).
 */
export interface Rope {
  readonly style: "norm" | "neox";
  readonly table: RopeTable;
}

/** The file's own rotation, in one of the two pairings. */
export function ropeOf(m: ModelBuilder, style: Rope["style"], settings?: RopeSettings): Rope {
  return { style, table: ropeTable(m, settings) };
}
