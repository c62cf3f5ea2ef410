/** Graphs made by hand or at random over F32 tensors, for the tests of plans. */
import { quantByName } from "../../src/file/quants.ts";
import type { ModelFile } from "../../src/file/types.ts";
import type { CacheSlot, Graph } from "../../src/graph/graph.ts";
import { weightGroups } from "../../src/graph/groups.ts";
import type { Op, OpBody, Ref, RopeTable } from "../../src/graph/ops.ts";
import { inputsOf } from "../../src/graph/ops.ts";
import { fileOf, type Made } from "../conformance/quants.ts";
import { Numbers } from "../kernels/run.ts";

export interface MadeModel {
  readonly graph: Graph;
  readonly file: ModelFile;
}

export const VOCABULARY = 20;

/** Adds ops with random tensors one after the other. */
export class Sketch {
  readonly numbers: Numbers;
  readonly widths: number[] = [];
  readonly selected: boolean[] = [];
  readonly slots: CacheSlot[] = [];
  readonly #ops: Op[] = [];
  readonly #tensors: Made[] = [];

  constructor(seed: number) {
    this.numbers = new Numbers(seed);
  }

  tensor(...shape: number[]): string {
    const name = `t${this.#tensors.length}`;
    const count = shape.reduce((product, length) => product * length, 1);
    // Sums of products keep about the size of what goes in.
    const values = this.numbers.floats(count, shape.length > 1 ? Math.sqrt(3 / shape[0]) : 1);
    const type = quantByName("F32");
    if (type) this.#tensors.push({ name, type, shape, bytes: new Uint8Array(values.buffer) });
    return name;
  }

  add(body: OpBody, width: number, selected?: boolean): Ref {
    const ref = this.#ops.length;
    this.#ops.push({ ...body, layer: 0, name: `${body.op} ${ref}` });
    this.widths.push(width);
    const from = inputsOf({ ...body, layer: 0, name: "" })[0];
    this.selected.push(selected ?? this.selected[from]);
    return ref;
  }

  embed(width: number): Ref {
    const table = this.tensor(width, VOCABULARY);
    return this.add({ op: "embed", table, by: "token", offset: 0 }, width, false);
  }
  linear(x: Ref, out: number, bias = false): Ref {
    const weight = this.tensor(this.widths[x], out);
    const plus = bias ? this.tensor(out) : undefined;
    return this.add({ op: "linear", x, weight, ...(plus && { bias: plus }), first: 0, out }, out);
  }
  norm(x: Ref, group: number = this.widths[x]): Ref {
    const weight = this.tensor(group);
    return this.add({ op: "rmsNorm", x, weight, eps: 1e-5, group }, this.widths[x]);
  }
  select(x: Ref): Ref {
    return this.add({ op: "select", x }, this.widths[x], true);
  }

  /** The last value is the output. */
  model(contextLength = 64): MadeModel {
    const output = this.#ops.length - 1;
    const ops = this.#ops;
    const graph: Graph = {
      architecture: "test",
      ops,
      widths: this.widths,
      selected: this.selected,
      slots: this.slots,
      output,
      // Nothing is sampled from it.
      outputKind: "embeddings",
      layers: 1,
      vocabulary: VOCABULARY,
      width: this.widths[0],
      trainedContext: contextLength,
      causal: true,
      groups: weightGroups(ops),
    };
    return { graph, file: fileOf(this.#tensors) };
  }
}

export const ropeTable = (rotated: number): RopeTable => ({
  rotated,
  base: 100,
  freqScale: 1,
  extFactor: 0,
  attnFactor: 1,
  betaFast: 32,
  betaSlow: 1,
  originalContext: 64,
});

/** Attention of two heads of 16 over its own slot; the maps of q, k and v may be fused or not. */
function attention(sketch: Sketch, x: Ref): Ref {
  const { numbers } = sketch;
  const [heads, width] = [2, 16];
  const table = ropeTable(numbers.pick([8, 16]));
  const head = (): Ref => {
    const y = sketch.linear(x, heads * width, numbers.pick([true, false]));
    const normed = numbers.pick([true, false]) ? sketch.norm(y, width) : y;
    if (numbers.integer(0, 3) === 0) return normed;
    const turn = {
      op: "rope",
      x: normed,
      headWidth: width,
      start: 0,
      style: "neox",
      table,
    } as const;
    return sketch.add(turn, heads * width);
  };
  const [q, k] = [head(), head()];
  const v = sketch.linear(x, heads * width);
  const slot = sketch.slots.length;
  sketch.slots.push({
    kind: "kv",
    layer: 0,
    heads,
    keyWidth: width,
    valueWidth: width,
    valueIsKeyPrefix: false,
    window: 0,
  });
  const settings = {
    heads,
    scale: 0.25,
    softcap: 0,
    window: 0,
    windowKind: "sliding",
    alibi: 0,
  } as const;
  return sketch.add(
    { op: "attention", q, k, v, slot, ...settings, causal: true },
    heads * width,
    false,
  );
}

/** One more op over some of the values that there are; returns undefined where none fits. */
function grow(sketch: Sketch, pool: readonly Ref[]): Ref | undefined {
  const { numbers, widths } = sketch;
  const x = numbers.pick(pool);
  const width = widths[x];
  const mates = pool.filter((ref) => widths[ref] === width);
  const mate = numbers.pick(mates);
  switch (numbers.integer(0, 12)) {
    case 0:
    case 1:
    case 2:
      return sketch.linear(x, numbers.pick([16, 24, 32, 33]), numbers.pick([true, false]));
    case 3:
      return sketch.norm(x);
    case 4:
      return sketch.add({ op: "add", a: x, b: mate }, width);
    case 5:
      return sketch.add({ op: "mul", a: x, b: mate }, width);
    case 6:
      return sketch.add(
        { op: "gated", gate: x, up: mate, kind: "silu", alpha: 1.702, limit: 7 },
        width,
      );
    case 7:
      return sketch.add({ op: "scale", x, by: 0.7, plus: numbers.pick([0, 0.1]) }, width);
    case 8:
      return sketch.add(
        { op: "activation", x, kind: numbers.pick(["tanh", "gelu"] as const), params: [] },
        width,
      );
    case 9: {
      const part = numbers.pick([4, 8, 12]);
      if (part > width) return undefined;
      const offset = numbers.integer(0, width - part);
      return sketch.add({ op: "slice", x, offset, width: part, groups: 1 }, part);
    }
    case 10:
      if (width % 2 !== 0 || width < 4) return undefined;
      return sketch.add({ op: "slice", x, offset: 1, width: width / 2 - 1, groups: 2 }, width - 2);
    case 11:
      return sketch.add(
        { op: "concat", parts: [x, mate], groups: 1 },
        2 * width,
        sketch.selected[x],
      );
    default:
      return sketch.add({ op: "mulWeight", x, weight: sketch.tensor(width), run: 1 }, width);
  }
}

/** `size` random ops, attention among them, then some over the chosen rows only. */
export function randomGraph(seed: number, size: number): MadeModel {
  const sketch = new Sketch(seed);
  const { numbers } = sketch;
  const pool = [sketch.embed(32)];
  while (pool.length < size) {
    if (pool.length === size >> 1) pool.push(attention(sketch, pool[0]));
    // Mostly recent values, so that chains as in models arise.
    const next = grow(sketch, numbers.pick([true, false]) ? pool.slice(-3) : pool);
    if (next !== undefined) pool.push(next);
  }
  const chosen = [numbers.pick(pool), numbers.pick(pool), pool.at(-1) as Ref];
  const late = chosen.map((ref) => sketch.select(ref));
  for (let i = 0; i < 4; i++) {
    const next = grow(sketch, late);
    if (next !== undefined) late.push(next);
  }
  const outputs = late.map((ref) => sketch.linear(ref, VOCABULARY));
  outputs.reduce((sum, ref) => sketch.add({ op: "add", a: sum, b: ref }, VOCABULARY));
  return sketch.model();
}
