/**
 * Builds a {@link Graph}: one method an op, each of which checks widths and tensor shapes at once, so
 * that a wrong file is refused with the layer and the tensor's name before any memory is taken.
 *
 * Tensors are named by their stem. Inside `layers()` the stem `attn_q` means `blk.{i}.attn_q.weight`;
 * a bias (`.bias`) or scale (`.scale`) that stands beside it in the file is used by itself.
 */
import { MixerBuilder } from "./mixer-builder.ts";
import type { Activation, OpBody, Ref, RopeTable } from "./ops.ts";

type Body<K extends OpBody["op"]> = Extract<OpBody, { op: K }>;

/** What attention needs beyond its values. */
export interface AttentionSettings {
  readonly heads: number;
  readonly slot: number;
  readonly scale: number;
  readonly softcap?: number;
  /** 0 = none. */
  readonly window?: number;
  readonly windowKind?: Body<"attention">["windowKind"];
  /** Stem of the sink logits. */
  readonly sinks?: string;
  readonly alibi?: number;
  readonly causal?: boolean;
}

export class GraphBuilder extends MixerBuilder {
  embed(stem: string, by: Body<"embed">["by"] = "token", offset = 0): Ref {
    const table = this.tensor(stem);
    const [width, rows] = this.shape(stem);
    const tokens = by === "token" ? this.shape("token_embd")[1] : 1;
    if (rows < tokens) this.fail(`"${table}" has ${rows} rows for ${tokens} tokens`, stem);
    return this.append({ op: "embed", table, by, offset }, width, stem);
  }
  /** Over runs of `group` elements; without a stem the norm has no weight. */
  rmsNorm(x: Ref, stem?: string, group: number = this.width(x), eps?: number): Ref {
    const weight = this.#normWeight(x, stem, group);
    return this.append(
      { op: "rmsNorm", x, weight, eps: eps ?? this.facts.rmsEps, group },
      this.width(x),
      stem,
    );
  }
  layerNorm(x: Ref, stem?: string, group: number = this.width(x), eps?: number): Ref {
    const weight = this.#normWeight(x, stem, group);
    const bias = stem === undefined ? undefined : this.beside(stem, "bias", group, this.width(x));
    const body = {
      op: "layerNorm",
      x,
      weight,
      bias,
      eps: eps ?? this.facts.normEps,
      group,
    } as const;
    return this.append(body, this.width(x), stem);
  }
  l2Norm(x: Ref, group: number, eps: number): Ref {
    this.divides(group, x);
    return this.append({ op: "l2Norm", x, eps, group }, this.width(x));
  }
  /**
   * x · Wᵀ (+ bias, · scale where the file has them); `rows` picks [first, first + out) of the
   * weight's rows, those of a stack of matrices being counted through.
   */
  linear(x: Ref, stem: string, rows?: { first: number; out: number }): Ref {
    const weight = this.tensor(stem);
    const [width, height, depth] = this.shape(stem);
    const all = height * depth;
    const { first, out } = rows ?? { first: 0, out: all };
    if (width !== this.width(x) || first < 0 || out < 1 || first + out > all)
      this.fail(
        `"${weight}" is ${width} × ${all}, but rows ${first} to ${first + out} ` +
          `of a matrix ${this.width(x)} wide are needed`,
        stem,
      );
    const bias = this.beside(stem, "bias", all);
    const scale = this.#scaleOf(stem);
    return this.append({ op: "linear", x, weight, bias, scale, first, out }, out, stem);
  }

  /** Each head's run of x through its own matrix of a weight [in, out, heads]. */
  headLinear(x: Ref, stem: string): Ref {
    const weight = this.tensor(stem);
    const [width, out, heads] = this.shape(stem);
    if (width * heads !== this.width(x))
      this.fail(
        `"${weight}" takes ${heads} heads of ${width} elements, not ${this.width(x)}`,
        stem,
      );
    return this.append({ op: "headLinear", x, weight, heads, out }, heads * out, stem);
  }
  dot(a: Ref, b: Ref, group: number = this.width(a)): Ref {
    if (this.width(a) !== this.width(b))
      this.fail(`values of ${this.width(a)} and ${this.width(b)} elements have no dot product`);
    this.divides(group, a);
    return this.append({ op: "dot", a, b, group }, this.width(a) / group);
  }

  add(a: Ref, b: Ref): Ref {
    if (this.width(a) !== this.width(b))
      this.fail(`values of ${this.width(a)} and ${this.width(b)} elements cannot be added`);
    return this.append({ op: "add", a, b }, this.width(a));
  }
  mul(a: Ref, b: Ref): Ref {
    this.divides(this.width(b), a);
    return this.append({ op: "mul", a, b }, this.width(a));
  }
  addWeight(x: Ref, stem: string): Ref {
    return this.append({ op: "addWeight", x, weight: this.#vector(x, stem) }, this.width(x), stem);
  }
  /** With `run`, each entry of the weight covers that many consecutive elements. */
  mulWeight(x: Ref, stem: string, run?: number): Ref {
    const weight = this.#vector(x, stem, run);
    return this.append({ op: "mulWeight", x, weight, run }, this.width(x), stem);
  }
  /** x · by + plus; nothing at all for by = 1, plus = 0. */
  scale(x: Ref, by: number, plus = 0): Ref {
    if (!Number.isFinite(by) || !Number.isFinite(plus))
      this.fail(`a scale of ${by} is not a number`);
    if (by === 1 && plus === 0) return x;
    return this.append({ op: "scale", x, by, plus }, this.width(x));
  }
  /** Limits to ±limit; nothing for limit = 0. */
  clamp(x: Ref, limit: number): Ref {
    return limit > 0 ? this.append({ op: "clamp", x, min: -limit, max: limit }, this.width(x)) : x;
  }
  activation(x: Ref, kind: Activation, params?: readonly number[]): Ref {
    return this.append({ op: "activation", x, kind, params }, this.width(x));
  }
  gated(
    gate: Ref,
    up: Ref,
    kind: Body<"gated">["kind"],
    limits?: { alpha?: number; limit?: number },
  ): Ref {
    if (this.width(gate) !== this.width(up))
      this.fail(
        `a gate of ${this.width(gate)} and a value of ${this.width(up)} elements do not match`,
      );
    return this.append({ op: "gated", gate, up, kind, ...limits }, this.width(up));
  }
  /** cap · tanh(x / cap); nothing for cap = 0. */
  softcap(x: Ref, cap: number): Ref {
    return cap > 0 ? this.append({ op: "softcap", x, cap }, this.width(x)) : x;
  }

  rope(x: Ref, headWidth: number, style: "norm" | "neox", table: RopeTable, start = 0): Ref {
    this.divides(headWidth, x);
    if (start + table.rotated > headWidth || table.rotated % 2 !== 0)
      this.fail(
        `${table.rotated} rotated elements from ${start} do not fit a head of ${headWidth}`,
      );
    if (table.factors !== undefined) this.expect(table.factors, table.rotated / 2);
    return this.append({ op: "rope", x, headWidth, start, style, table }, this.width(x));
  }
  positionScale(x: Ref, floorScale: number, factor: number, offset: number): Ref {
    return this.append({ op: "positionScale", x, floorScale, factor, offset }, this.width(x));
  }

  /** A key/value slot of the current layer; returns its number. */
  kvSlot(
    heads: number,
    keyWidth: number,
    valueWidth: number,
    window = 0,
    valueIsKeyPrefix = false,
  ): number {
    if (valueIsKeyPrefix && valueWidth > keyWidth)
      this.fail(`a value of ${valueWidth} elements is no prefix of a key of ${keyWidth}`);
    const layer = this.layer;
    return (
      this.slotList.push({
        kind: "kv",
        layer,
        heads,
        keyWidth,
        valueWidth,
        valueIsKeyPrefix,
        window,
      }) - 1
    );
  }
  /**
   * Without k and v the slot's rows were written by an earlier layer; without v alone the value is
   * a prefix of the key.
   */
  attention(q: Ref, k: Ref | undefined, v: Ref | undefined, settings: AttentionSettings): Ref {
    const { heads, slot } = settings;
    const cache = this.slotList[slot];
    if (cache?.kind !== "kv")
      return this.fail(`attention needs a key/value slot, not slot ${slot}`);
    const kv = cache.heads;
    const fits =
      heads % kv === 0 &&
      this.width(q) === heads * cache.keyWidth &&
      (k === undefined || this.width(k) === kv * cache.keyWidth) &&
      (v === undefined || this.width(v) === kv * cache.valueWidth);
    if (!fits)
      this.fail(
        `queries of ${this.width(q)} elements in ${heads} heads do not fit ${kv} heads ` +
          `with keys of ${cache.keyWidth} and values of ${cache.valueWidth}`,
      );
    const {
      scale,
      softcap = 0,
      window = 0,
      windowKind = "sliding",
      alibi = 0,
      causal = true,
    } = settings;
    const sinks = settings.sinks === undefined ? undefined : this.optional(settings.sinks, heads);
    const options = { slot, heads, scale, softcap, window, windowKind, sinks, alibi, causal };
    return this.append({ op: "attention", q, k, v, ...options }, heads * cache.valueWidth);
  }

  slice(x: Ref, offset: number, width: number, groups = 1): Ref {
    this.divides(groups, x);
    if (offset < 0 || width < 1 || (offset + width) * groups > this.width(x))
      this.fail(
        `elements ${offset} to ${offset + width} of ${groups} runs leave a width of ${this.width(x)}`,
      );
    return this.append({ op: "slice", x, offset, width, groups }, groups * width);
  }
  concat(parts: readonly Ref[], groups = 1): Ref {
    for (const part of parts) this.divides(groups, part);
    const width = parts.reduce((sum, part) => sum + this.width(part), 0);
    return this.append({ op: "concat", parts, groups }, width);
  }
  /** From here on only the rows whose output is wanted. */
  select(x: Ref): Ref {
    return this.append({ op: "select", x }, this.width(x));
  }

  /** A scale of one number; longer ones belong to other ops. */
  #scaleOf(stem: string): string | undefined {
    const name = this.optionalBeside(stem, "scale");
    return name !== undefined && this.file.tensors.get(name)?.elements === 1 ? name : undefined;
  }
  #normWeight(x: Ref, stem: string | undefined, group: number): string | undefined {
    this.divides(group, x);
    if (stem === undefined) return undefined;
    const name = this.tensor(stem);
    this.expect(name, group, this.width(x));
    return name;
  }
  #vector(x: Ref, stem: string, run = 1): string {
    const name = this.tensor(stem);
    const elements = this.file.tensors.get(name)?.elements ?? 0;
    if (elements === 0 || this.width(x) % (elements * run) !== 0)
      this.fail(`"${name}" has ${elements} elements, which do not divide ${this.width(x)}`, stem);
    return name;
  }
}
