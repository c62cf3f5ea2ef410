/**
 * Builds a {@link Graph}: one method an op, each of which checks widths and tensor shapes at once, so
 * that a wrong file is refused with the layer and the tensor's name before any memory is taken.
 *
 * Tensors are named by their stem. Inside `layers()` the stem `attn_q` means `blk.{i}.attn_q.weight`;
 * a bias (`.bias`) or scale (`.scale`) that stands beside it in the file is used by itself.
 */
import type { GgufFile } from "../gguf/types.ts";
import { weightGroups } from "./groups.ts";
import {
  type Activation,
  type CacheSlot,
  type Graph,
  inputsOf,
  type Op,
  type OpBody,
  type Ref,
  type RopeTable,
  type RouteParams,
} from "./ops.ts";
import { TensorScope } from "./scope.ts";

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

/** What a graph says of itself besides its ops. */
export interface GraphFacts {
  readonly architecture: string;
  readonly layers: number;
  readonly trainedContext: number;
  /** Epsilons of rmsNorm and layerNorm. */
  readonly rmsEps: number;
  readonly normEps: number;
}

export class GraphBuilder extends TensorScope {
  readonly facts: GraphFacts;
  readonly #ops: Op[] = [];
  readonly #widths: number[] = [];
  readonly #selected: boolean[] = [];
  readonly #slots: CacheSlot[] = [];

  constructor(file: GgufFile, facts: GraphFacts) {
    super(file, facts.architecture);
    this.facts = facts;
  }

  /** How many cache slots there are so far; the one made last has the number before. */
  get slots(): number {
    return this.#slots.length;
  }
  /** Width of a value. */
  width(x: Ref): number {
    return this.#widths[x];
  }

  embed(stem: string, by: Body<"embed">["by"] = "token", offset = 0): Ref {
    return this.#add(
      { op: "embed", table: this.tensor(stem), by, offset },
      this.shape(stem)[0],
      stem,
    );
  }
  /** Over runs of `group` elements; without a stem the norm has no weight. */
  rmsNorm(x: Ref, stem?: string, group: number = this.width(x), eps?: number): Ref {
    const weight = this.#normWeight(x, stem, group);
    return this.#add(
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
    return this.#add(body, this.width(x), stem);
  }
  l2Norm(x: Ref, group: number, eps: number): Ref {
    this.#divides(group, x);
    return this.#add({ op: "l2Norm", x, eps, group }, this.width(x));
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
        `"${weight}" is ${width} × ${all}, but rows ${first} to ${first + out} of a matrix ${this.width(x)} wide are needed`,
        stem,
      );
    const bias = this.beside(stem, "bias", all);
    const scale = this.#scaleOf(stem);
    return this.#add({ op: "linear", x, weight, bias, scale, first, out }, out, stem);
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
    return this.#add({ op: "headLinear", x, weight, heads, out }, heads * out, stem);
  }
  dot(a: Ref, b: Ref, group: number = this.width(a)): Ref {
    if (this.width(a) !== this.width(b))
      this.fail(`values of ${this.width(a)} and ${this.width(b)} elements have no dot product`);
    this.#divides(group, a);
    return this.#add({ op: "dot", a, b, group }, this.width(a) / group);
  }

  add(a: Ref, b: Ref): Ref {
    if (this.width(a) !== this.width(b))
      this.fail(`values of ${this.width(a)} and ${this.width(b)} elements cannot be added`);
    return this.#add({ op: "add", a, b }, this.width(a));
  }
  mul(a: Ref, b: Ref): Ref {
    this.#divides(this.width(b), a);
    return this.#add({ op: "mul", a, b }, this.width(a));
  }
  addWeight(x: Ref, stem: string): Ref {
    return this.#add({ op: "addWeight", x, weight: this.#vector(x, stem) }, this.width(x), stem);
  }
  /** With `run`, each entry of the weight covers that many consecutive elements. */
  mulWeight(x: Ref, stem: string, run?: number): Ref {
    const weight = this.#vector(x, stem, run);
    return this.#add({ op: "mulWeight", x, weight, run }, this.width(x), stem);
  }
  /** x · by + plus; nothing at all for by = 1, plus = 0. */
  scale(x: Ref, by: number, plus = 0): Ref {
    if (!Number.isFinite(by) || !Number.isFinite(plus))
      this.fail(`a scale of ${by} is not a number`);
    if (by === 1 && plus === 0) return x;
    return this.#add({ op: "scale", x, by, plus }, this.width(x));
  }
  /** Limits to ±limit; nothing for limit = 0. */
  clamp(x: Ref, limit: number): Ref {
    return limit > 0 ? this.#add({ op: "clamp", x, min: -limit, max: limit }, this.width(x)) : x;
  }
  activation(x: Ref, kind: Activation, params?: readonly number[]): Ref {
    return this.#add({ op: "activation", x, kind, params }, this.width(x));
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
    return this.#add({ op: "gated", gate, up, kind, ...limits }, this.width(up));
  }
  /** cap · tanh(x / cap); nothing for cap = 0. */
  softcap(x: Ref, cap: number): Ref {
    return cap > 0 ? this.#add({ op: "softcap", x, cap }, this.width(x)) : x;
  }

  rope(x: Ref, headWidth: number, style: "norm" | "neox", table: RopeTable, start = 0): Ref {
    this.#divides(headWidth, x);
    if (start + table.rotated > headWidth || table.rotated % 2 !== 0)
      this.fail(
        `${table.rotated} rotated elements from ${start} do not fit a head of ${headWidth}`,
      );
    if (table.factors !== undefined) this.expect(table.factors, table.rotated / 2);
    return this.#add({ op: "rope", x, headWidth, start, style, table }, this.width(x));
  }
  positionScale(x: Ref, floorScale: number, factor: number, offset: number): Ref {
    return this.#add({ op: "positionScale", x, floorScale, factor, offset }, this.width(x));
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
      this.#slots.push({
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
  /** Without k and v the slot's rows were written by an earlier layer; without v alone the value is a prefix of the key. */
  attention(q: Ref, k: Ref | undefined, v: Ref | undefined, settings: AttentionSettings): Ref {
    const { heads, slot } = settings;
    const cache = this.#slots[slot];
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
        `queries of ${this.width(q)} elements in ${heads} heads do not fit ${kv} heads with keys of ${cache.keyWidth} and values of ${cache.valueWidth}`,
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
    return this.#add({ op: "attention", q, k, v, ...options }, heads * cache.valueWidth);
  }

  slice(x: Ref, offset: number, width: number, groups = 1): Ref {
    this.#divides(groups, x);
    if (offset < 0 || width < 1 || (offset + width) * groups > this.width(x))
      this.fail(
        `elements ${offset} to ${offset + width} of ${groups} runs leave a width of ${this.width(x)}`,
      );
    return this.#add({ op: "slice", x, offset, width, groups }, groups * width);
  }
  concat(parts: readonly Ref[], groups = 1): Ref {
    for (const part of parts) this.#divides(groups, part);
    const width = parts.reduce((sum, part) => sum + this.width(part), 0);
    return this.#add({ op: "concat", parts, groups }, width);
  }
  /** From here on only the rows whose output is wanted. */
  select(x: Ref): Ref {
    return this.#add({ op: "select", x }, this.width(x));
  }

  moeRoute(logits: Ref, route: Omit<RouteParams, "experts">): Ref {
    const experts = this.width(logits);
    const { used, groups, groupsUsed } = route;
    const whole = Number.isInteger(used) && used >= 1 && used <= experts;
    if (!whole || groups < 1 || experts % groups !== 0 || groupsUsed > groups)
      this.fail(
        `${used} of ${experts} experts in ${groupsUsed} of ${groups} groups cannot be chosen`,
      );
    return this.#add({ op: "moeRoute", logits, experts, ...route }, 2 * used);
  }
  /** `perExpert`: x has a run for each chosen expert already. */
  moeLinear(
    x: Ref,
    route: Ref,
    stem: string,
    perExpert: boolean,
    rows?: { first: number; out: number },
  ): Ref {
    const used = this.width(route) / 2;
    const choice = this.#ops[route];
    const experts = choice.op === "moeRoute" ? choice.experts : 0;
    const weight = this.tensor(stem);
    const [width, height, depth] = this.shape(stem);
    const { first, out } = rows ?? { first: 0, out: height };
    if (
      width !== this.width(x) / (perExpert ? used : 1) ||
      depth !== experts ||
      first + out > height
    )
      this.fail(
        `"${weight}" is ${width} × ${height} × ${depth}, which does not fit ${experts} experts on ${this.width(x)} elements`,
        stem,
      );
    const bias = this.beside(stem, "bias", height * experts);
    const scale = this.beside(stem, "scale", experts);
    return this.#add(
      { op: "moeLinear", x, route, weight, bias, scale, used, perExpert, first, out },
      used * out,
      stem,
    );
  }
  /** `unweighted`: the experts' input carried the weights already. */
  moeSum(x: Ref, route: Ref, unweighted?: boolean): Ref {
    const used = this.width(route) / 2;
    this.#divides(used, x);
    return this.#add({ op: "moeSum", x, route, used, unweighted }, this.width(x) / used);
  }
  moeScale(x: Ref, route: Ref): Ref {
    const used = this.width(route) / 2;
    return this.#add({ op: "moeScale", x, route, used }, this.width(x) * used);
  }

  conv(x: Ref, stem: string): Ref {
    const [kernel, ...rest] = this.shape(stem);
    const width = rest[0] * rest[1];
    if (width !== this.width(x))
      this.fail(`"${stem}" filters ${width} channels, not ${this.width(x)}`, stem);
    const bias = this.beside(stem, "bias", width);
    const part = this.#claim((kernel - 1) * width);
    return this.#add(
      { op: "conv", x, weight: this.tensor(stem), bias, kernel, ...part },
      width,
      stem,
    );
  }
  ssm(body: Omit<Body<"ssm">, "op" | "slot" | "slotOffset">): Ref {
    const { x, dt, b, c, heads, headWidth, groups, state } = body;
    const fits =
      this.width(x) === heads * headWidth &&
      this.width(dt) === heads &&
      heads % groups === 0 &&
      this.width(b) === groups * state &&
      this.width(c) === groups * state;
    if (!fits)
      this.fail(`${heads} state-space heads of ${headWidth} × ${state} do not fit their inputs`);
    return this.#add(
      { op: "ssm", ...body, ...this.#claim(heads * headWidth * state) },
      this.width(x),
    );
  }
  deltaNet(body: Omit<Body<"deltaNet">, "op" | "slot" | "slotOffset">): Ref {
    const { q, k, v, g, beta, heads, keyHeads, keyWidth, valueWidth } = body;
    const gate = this.width(g);
    const fits =
      heads % keyHeads === 0 &&
      this.width(q) === keyHeads * keyWidth &&
      this.width(k) === keyHeads * keyWidth &&
      this.width(v) === heads * valueWidth &&
      (gate === heads || gate === heads * keyWidth) &&
      this.width(beta) === heads;
    if (!fits)
      this.fail(`${heads} delta-rule heads of ${keyWidth} × ${valueWidth} do not fit their inputs`);
    return this.#add(
      { op: "deltaNet", ...body, ...this.#claim(heads * keyWidth * valueWidth) },
      this.width(v),
    );
  }
  shift(x: Ref): Ref {
    return this.#add({ op: "shift", x, ...this.#claim(this.width(x)) }, this.width(x));
  }
  wkv7(body: Omit<Body<"wkv7">, "op" | "slot" | "slotOffset">): Ref {
    const width = body.heads * body.headWidth;
    for (const part of [body.r, body.w, body.k, body.v, body.a, body.b])
      if (this.width(part) !== width)
        this.fail(
          `${body.heads} heads of ${body.headWidth} need ${width} elements, not ${this.width(part)}`,
        );
    return this.#add({ op: "wkv7", ...body, ...this.#claim(width * body.headWidth) }, width);
  }

  /** The finished graph, whose result is the value `output`. */
  build(output: Ref, kind: Pick<Graph, "outputKind" | "pooling"> & { causal?: boolean }): Graph {
    const { architecture, layers, trainedContext } = this.facts;
    const table = this.file.tensors.get(this.tensor("token_embd"));
    return {
      architecture,
      ops: this.#ops,
      widths: this.#widths,
      selected: this.#selected,
      slots: this.#slots,
      output,
      outputKind: kind.outputKind,
      layers,
      vocabulary: table?.shape[1] ?? 0,
      width: table?.shape[0] ?? 0,
      trainedContext,
      causal: kind.causal ?? true,
      groups: weightGroups(this.#ops),
      pooling: kind.pooling,
    };
  }

  #add(body: OpBody, width: number, name: string = body.op): Ref {
    const selected = body.op === "select" || this.#rowsOf(body);
    this.#ops.push({ layer: this.layer, name, ...body });
    this.#widths.push(width);
    this.#selected.push(selected);
    return this.#ops.length - 1;
  }
  /** Whether the inputs have only the wanted rows; all of them must agree. */
  #rowsOf(body: OpBody): boolean {
    const inputs = inputsOf({ layer: this.layer, name: "", ...body });
    const selected = inputs.filter((x) => this.#selected[x]).length;
    if (selected > 0 && selected < inputs.length)
      this.fail(`${body.op} mixes all rows with selected rows`);
    return selected > 0;
  }
  /** A scale of one number; longer ones belong to other ops. */
  #scaleOf(stem: string): string | undefined {
    const name = this.optionalBeside(stem, "scale");
    return name !== undefined && this.file.tensors.get(name)?.elements === 1 ? name : undefined;
  }
  /** A part of the layer's state slot, which grows with each part. */
  #claim(size: number): { slot: number; slotOffset: number } {
    const last = this.#slots.length - 1;
    const old = this.#slots[last];
    if (old?.kind === "state" && old.layer === this.layer) {
      this.#slots[last] = { ...old, size: old.size + size };
      return { slot: last, slotOffset: old.size };
    }
    return {
      slot: this.#slots.push({ kind: "state", layer: this.layer, size }) - 1,
      slotOffset: 0,
    };
  }
  #normWeight(x: Ref, stem: string | undefined, group: number): string | undefined {
    this.#divides(group, x);
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
  #divides(part: number, x: Ref): void {
    if (!Number.isInteger(part) || part < 1 || this.width(x) % part !== 0)
      this.fail(`a width of ${this.width(x)} is no multiple of ${part}`);
  }
}
