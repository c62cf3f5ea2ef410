/** A graph that gives the inputs of a model's matrices instead of its result. */
import type { Graph } from "../graph/graph.ts";
import type { Op, Ref } from "../graph/ops.ts";

/** A matrix and where its inputs stand in a row of the graph's output. */
export interface Tap {
  readonly weight: string;
  readonly from: number;
  /** Elements of an input. */
  readonly width: number;
  /** Inputs in a row: of heads, or of chosen experts where each has its own. */
  readonly inputs: number;
  /** Matrices of the tensor, of which each has a sum of its own. */
  readonly matrices: number;
  /** Where the numbers of the chosen experts stand, and how many they are. */
  readonly route?: { readonly from: number; readonly used: number };
}

export interface TappedGraph {
  readonly graph: Graph;
  readonly taps: readonly Tap[];
  /** Floats of an output row. */
  readonly width: number;
}

type Product = Extract<Op, { op: "linear" | "headLinear" | "moeLinear" }>;

const isProduct = (op: Op): op is Product =>
  op.op === "linear" || op.op === "headLinear" || op.op === "moeLinear";

/**
 * The ops up to the last product whose weight is `wanted`, then the inputs of all such products side by side. The same
 * input of several matrices stands there once. Undefined where nothing is wanted.
 */
export function tapGraph(
  graph: Graph,
  wanted: (weight: string) => boolean,
): TappedGraph | undefined {
  const { ops, widths, selected } = graph;
  const products = ops.filter(isProduct).filter(({ weight }) => wanted(weight));
  if (products.length === 0) return undefined;
  const places = new Map<Ref, number>();
  let width = 0;
  const placeOf = (ref: Ref): number => {
    const old = places.get(ref);
    if (old !== undefined) return old;
    const at = width;
    places.set(ref, at);
    width += widths[ref];
    return at;
  };
  const taps = new Map<string, Tap>();
  for (const op of products) {
    const from = placeOf(op.x);
    // Parts of a matrix have one input.
    const key = `${op.weight} ${from}`;
    const own = { weight: op.weight, from };
    if (op.op === "linear") taps.set(key, { ...own, width: widths[op.x], inputs: 1, matrices: 1 });
    else if (op.op === "headLinear") {
      const { heads } = op;
      taps.set(key, { ...own, width: widths[op.x] / heads, inputs: heads, matrices: heads });
    } else {
      const inputs = op.perExpert ? op.used : 1;
      const route = { from: placeOf(op.route), used: op.used };
      const router = ops[op.route];
      const matrices = router.op === "moeRoute" ? router.experts : 1;
      taps.set(key, { ...own, width: widths[op.x] / inputs, inputs, matrices, route });
    }
  }
  const end = 1 + Math.max(...places.keys());
  const kept: Op[] = ops.slice(0, end);
  const all = { widths: widths.slice(0, end), selected: selected.slice(0, end) };
  const append = (op: Op, wide: number): Ref => {
    all.widths.push(wide);
    all.selected.push(true);
    return kept.push(op) - 1;
  };
  const parts = [...places.keys()].map((x) =>
    selected[x] ? x : append({ op: "select", x, layer: -1, name: "tap" }, widths[x]),
  );
  const output = append({ op: "concat", parts, groups: 1, layer: -1, name: "taps" }, width);
  const named = new Set(kept.flatMap((op) => (isProduct(op) ? [op.weight] : [])));
  const tapped: Graph = {
    ...graph,
    ...all,
    ops: kept,
    output,
    outputKind: "embeddings",
    groups: graph.groups.filter((group) => group.every((name) => named.has(name))),
  };
  return { graph: tapped, taps: [...taps.values()], width };
}

/** Adds the squares of inputs up, in double precision. */
export class Squares {
  readonly taps: readonly Tap[];
  readonly #width: number;
  readonly #sums: readonly Float64Array[];
  readonly #counts: readonly Float64Array[];

  constructor({ taps, width }: TappedGraph) {
    this.taps = taps;
    this.#width = width;
    this.#sums = taps.map((tap) => new Float64Array(tap.width * tap.matrices));
    this.#counts = taps.map((tap) => new Float64Array(tap.route ? tap.matrices : 1));
  }

  /** Rows as the graph gives them. */
  add(rows: Float32Array): void {
    const count = rows.length / this.#width;
    this.taps.forEach((tap, i) => {
      const [sums, counts] = [this.#sums[i], this.#counts[i]];
      for (let row = 0; row < count; row++) {
        const at = row * this.#width;
        const from = at + tap.from;
        if (!tap.route) {
          for (let j = 0; j < sums.length; j++) sums[j] += rows[from + j] ** 2;
          counts[0]++;
          continue;
        }
        for (let k = 0; k < tap.route.used; k++) {
          const expert = rows[at + tap.route.from + k];
          const input = from + (tap.inputs > 1 ? k : 0) * tap.width;
          const to = expert * tap.width;
          for (let j = 0; j < tap.width; j++) sums[to + j] += rows[input + j] ** 2;
          counts[expert]++;
        }
      }
    });
  }

  /** By weight; what several products of one weight were given is one sum. */
  entries(): Map<string, { sums: Float32Array; counts: Float32Array }> {
    const entries = new Map<string, { sums: Float32Array; counts: Float32Array }>();
    this.taps.forEach(({ weight }, i) => {
      const old = entries.get(weight);
      const plus = (own: Float64Array, before?: Float32Array): Float32Array =>
        Float32Array.from(own, (value, j) => value + (before?.[j] ?? 0));
      entries.set(weight, {
        sums: plus(this.#sums[i], old?.sums),
        counts: plus(this.#counts[i], old?.counts),
      });
    });
    return entries;
  }
}
