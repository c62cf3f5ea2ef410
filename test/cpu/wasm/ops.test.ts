/**
 * Each op on its own, with random parameters and widths: what WebAssembly computes is near to what the plain function
 * does, and its bits do not depend on how many rows are computed together.
 */
import { describe, expect, it } from "vitest";
import { openCpu, plainCpu } from "../../../src/cpu/open.ts";
import type { Activation, OpBody, Ref } from "../../../src/graph/ops.ts";
import type { Numbers } from "../../kernels/run.ts";
import { type MadeModel, ropeTable, Sketch, VOCABULARY } from "../../plan/graphs.ts";

const rows = 39;
const tokens = Array.from({ length: rows }, (_, i) => (7 * i * i + 3 * i) % VOCABULARY);

/** All rows of a graph's output, given in pieces; recurrent state and caches carry them on. */
async function outputs(
  device: typeof plainCpu,
  { graph, file }: MadeModel,
  piece: number,
  cacheType: "f32" | "f16",
): Promise<Float32Array> {
  const executor = await device.create(graph, file, {
    contextLength: 64,
    cacheTypeK: cacheType,
    cacheTypeV: cacheType,
  });
  const width = graph.widths[graph.output];
  const all = new Float32Array(rows * width);
  for (let at = 0; at < rows; at += piece) {
    const input = tokens.slice(at, at + piece);
    const [made] = await executor.step([{ sequence: 0, input, outputs: "all", read: true }]);
    all.set(made.rows, at * width);
  }
  await executor.dispose();
  return all;
}

type Maker = (sketch: Sketch, x: (width: number, size?: number) => Ref) => [OpBody, number];

const odd = (numbers: Numbers): number => numbers.pick([1, 3, 4, 17, 32, 36, 70]);
const kinds: Activation[] = [
  ...(["silu", "gelu", "geluErf", "geluQuick", "relu", "relu2", "sigmoid", "tanh"] as const),
  ...(["softplus", "exp", "negExp", "xielu"] as const),
];
const xielu = [0.8, 0.7, 0.5, -1e-6];

function norm(op: "rmsNorm" | "layerNorm"): Maker {
  return (sketch, x) => {
    const { numbers } = sketch;
    const group = numbers.pick([4, 6, 20, 64]);
    const width = group * numbers.pick([1, 3]);
    const has = (): { weight?: string } =>
      numbers.pick([{}, { weight: sketch.tensor(width) }, { weight: sketch.tensor(group) }]);
    const { weight } = has();
    if (op === "rmsNorm") return [{ op, x: x(width), weight, eps: 1e-5, group }, width];
    const { weight: bias } = has();
    return [{ op, x: x(width), weight, bias, eps: 1e-5, group }, width];
  };
}

const state = (sketch: Sketch, size: number): { slot: number; slotOffset: number } => {
  const slotOffset = sketch.numbers.pick([0, 5]);
  sketch.slots.push({ kind: "state", layer: 0, size: size + slotOffset });
  return { slot: sketch.slots.length - 1, slotOffset };
};

const makers: Record<string, Maker> = {
  add: (sketch, x) => {
    const width = odd(sketch.numbers);
    return [{ op: "add", a: x(width), b: x(width) }, width];
  },
  mul: (sketch, x) => {
    const [width, run] = [odd(sketch.numbers), sketch.numbers.pick([1, 3, 8])];
    return [{ op: "mul", a: x(width * run), b: x(width) }, width * run];
  },
  addWeight: (sketch, x) => {
    const [width, times] = [odd(sketch.numbers), sketch.numbers.pick([1, 2])];
    return [{ op: "addWeight", x: x(width * times), weight: sketch.tensor(width) }, width * times];
  },
  mulWeight: (sketch, x) => {
    const { numbers } = sketch;
    const [width, run, times] = [odd(numbers), numbers.pick([1, 5, 8]), numbers.pick([1, 2])];
    const weight = sketch.tensor(width);
    return [{ op: "mulWeight", x: x(width * run * times), weight, run }, width * run * times];
  },
  scale: (sketch, x) => {
    const width = odd(sketch.numbers);
    return [{ op: "scale", x: x(width), by: -1.7, plus: 0.3 }, width];
  },
  clamp: (sketch, x) => {
    const width = odd(sketch.numbers);
    return [{ op: "clamp", x: x(width), min: -0.2, max: 0.5 }, width];
  },
  softcap: (sketch, x) => {
    const width = odd(sketch.numbers);
    return [{ op: "softcap", x: x(width, 60), cap: 30 }, width];
  },
  activation: (sketch, x) => {
    const width = odd(sketch.numbers);
    const kind = sketch.numbers.pick(kinds);
    const size = sketch.numbers.pick([0.01, 1, 9]);
    const params = kind === "xielu" ? xielu : [];
    return [{ op: "activation", x: x(width, size), kind, params }, width];
  },
  gated: (sketch, x) => {
    const width = odd(sketch.numbers);
    const kind = sketch.numbers.pick(["silu", "gelu", "swigluOai"] as const);
    return [
      { op: "gated", gate: x(width, 9), up: x(width, 9), kind, alpha: 1.702, limit: 7 },
      width,
    ];
  },
  rmsNorm: norm("rmsNorm"),
  layerNorm: norm("layerNorm"),
  l2Norm: (sketch, x) => {
    const group = sketch.numbers.pick([4, 6, 64]);
    return [{ op: "l2Norm", x: x(3 * group), eps: 1e-6, group }, 3 * group];
  },
  rope: (sketch, x) => {
    const { numbers } = sketch;
    const table = {
      ...ropeTable(numbers.pick([4, 8, 24])),
      ...numbers.pick([{}, { sections: [2, 1, 1, 4], interleaved: numbers.pick([true, false]) }]),
    };
    const [start, headWidth] = [numbers.pick([0, 4]), 32];
    const style = numbers.pick(["norm", "neox"] as const);
    return [{ op: "rope", x: x(96), headWidth, start, style, table }, 96];
  },
  slice: (sketch, x) => {
    const offset = sketch.numbers.integer(0, 5);
    return [{ op: "slice", x: x(36), offset, width: 7, groups: 3 }, 21];
  },
  concat: (_, x) => [{ op: "concat", parts: [x(6), x(9), x(3)], groups: 3 }, 18],
  headLinear: (sketch, x) => {
    const heads = 3;
    const [width, out] = [sketch.numbers.pick([32, 50]), sketch.numbers.pick([8, 33])];
    const weight = sketch.tensor(width, out, heads);
    return [{ op: "headLinear", x: x(width * heads), weight, heads, out }, heads * out];
  },
  attention: (sketch, x) => {
    const { numbers } = sketch;
    const [keyWidth, kvHeads, group] = [numbers.pick([8, 12, 6]), 2, numbers.pick([1, 3])];
    const valueIsKeyPrefix = numbers.pick([true, false]);
    const valueWidth = numbers.pick(valueIsKeyPrefix ? [4, keyWidth] : [4, 36, 40, 5]);
    const heads = kvHeads * group;
    sketch.slots.push({
      ...({ kind: "kv", layer: 0, heads: valueIsKeyPrefix ? 1 : kvHeads, keyWidth } as const),
      ...{ valueWidth, valueIsKeyPrefix, window: 0 },
    });
    const own = valueIsKeyPrefix ? 1 : kvHeads;
    return [
      {
        op: "attention",
        q: x(heads * keyWidth, 3),
        k: x(own * keyWidth, 3),
        ...(!valueIsKeyPrefix && { v: x(own * valueWidth) }),
        slot: sketch.slots.length - 1,
        heads,
        scale: 0.3,
        softcap: numbers.pick([0, 2]),
        window: numbers.pick([0, 5, 16]),
        windowKind: numbers.pick(["sliding", "chunked"] as const),
        ...(numbers.pick([true, false]) && { sinks: sketch.tensor(heads) }),
        alibi: numbers.pick([0, 8]),
        causal: true,
      },
      heads * valueWidth,
    ];
  },
  conv: (sketch, x) => {
    const [kernel, width] = [sketch.numbers.pick([2, 3, 4, 5]), sketch.numbers.pick([12, 10])];
    const bias = sketch.numbers.pick([undefined, sketch.tensor(width)]);
    const weight = sketch.tensor(kernel, width);
    const slot = state(sketch, (kernel - 1) * width);
    return [{ op: "conv", x: x(width), weight, bias, kernel, ...slot }, width];
  },
  shift: (sketch, x) => [{ op: "shift", x: x(10), ...state(sketch, 10) }, 10],
  ssm: (sketch, x) => {
    const { numbers } = sketch;
    const perState = numbers.pick([true, false]);
    const [groups, size] = [numbers.pick([1, 2]), numbers.pick([4, 16, 6])];
    const [heads, headWidth] = [4, perState ? 1 : 5];
    const width = heads * headWidth;
    const negative = (): string => sketch.tensor(...(perState ? [size, heads] : [heads]));
    const part = { d: sketch.tensor(heads), dtBias: sketch.tensor(heads) };
    return [
      {
        ...({ op: "ssm", x: x(width), dt: x(heads, 4), b: x(groups * size) } as const),
        ...{ c: x(groups * size), a: negative(), ...numbers.pick([{}, part]) },
        ...{ heads, headWidth, groups, state: size, ...state(sketch, width * size) },
      },
      width,
    ];
  },
  deltaNet: (sketch, x) => {
    const { numbers } = sketch;
    const [heads, keyHeads, keyWidth, valueWidth] = [4, 2, 6, numbers.pick([16, 48, 12])];
    const g = x(heads * numbers.pick([1, keyWidth]));
    const size = heads * keyWidth * valueWidth;
    return [
      {
        ...({ op: "deltaNet", q: x(keyHeads * keyWidth), k: x(keyHeads * keyWidth, 0.3) } as const),
        ...{
          v: x(heads * valueWidth),
          g: sketch.add({ op: "clamp", x: g, min: -3, max: 0 }, sketch.widths[g]),
        },
        ...{ beta: x(heads, 0.5), heads, keyHeads, keyWidth, valueWidth, scale: 0.4 },
        ...{ tiled: numbers.pick([true, false]), ...state(sketch, size) },
      },
      heads * valueWidth,
    ];
  },
  wkv7: (sketch, x) => {
    const [heads, headWidth] = [2, sketch.numbers.pick([8, 6])];
    const width = heads * headWidth;
    const one = (): Ref => x(width, 0.3);
    return [
      {
        ...({ op: "wkv7", r: one(), w: one(), k: one(), v: one(), a: one(), b: one() } as const),
        ...{ heads, headWidth, ...state(sketch, width * headWidth) },
      },
      width,
    ];
  },
  experts: (sketch, x) => {
    const { numbers } = sketch;
    const [experts, used, width] = [6, numbers.pick([1, 3]), 32];
    const logits = x(experts, 3);
    const gate = numbers.pick(["softmax", "sigmoid", "softmaxChosen"] as const);
    const routing = { experts, used, gate, groups: 1, groupsUsed: 1, normalize: true, scale: 1 };
    const route = sketch.add({ op: "moeRoute", logits, ...routing }, 2 * used);
    const scaled = sketch.add({ op: "moeScale", x: x(width), route, used }, used * width);
    const out = numbers.pick([16, 21]);
    const weight = sketch.tensor(width, out, experts);
    const bias = numbers.pick([undefined, sketch.tensor(out, experts)]);
    const scale = numbers.pick([undefined, sketch.tensor(experts)]);
    const perExpert = numbers.pick([true, false]);
    const made = sketch.add(
      {
        ...({ op: "moeLinear", x: perExpert ? scaled : x(width), route, weight } as const),
        ...{ bias, scale, used, perExpert, first: 0, out },
      },
      used * out,
    );
    return [{ op: "moeSum", x: made, route, used, weighted: numbers.pick([true, false]) }, out];
  },
};

/** A graph with the op at its end, over values of random rows. */
function graphOf(maker: Maker, seed: number): MadeModel {
  const sketch = new Sketch(seed);
  const base = sketch.embed(24);
  const x = (width: number, size = 1): Ref => {
    const value = sketch.linear(base, width, true);
    return sketch.add({ op: "scale", x: value, by: size, plus: 0 }, width);
  };
  const [body, width] = maker(sketch, x);
  sketch.select(sketch.add(body, width, false));
  return sketch.model();
}

describe.each(Object.entries(makers))("%s in WebAssembly", (_, maker) => {
  it("is what the plain function gives, the same for all batches", async () => {
    const device = await openCpu();
    expect(device.name).not.toBe(plainCpu.name);
    for (let seed = 1; seed <= 4; seed++) {
      const made = graphOf(maker, seed);
      const cache = seed % 3 === 0 ? "f16" : "f32";
      const expected = await outputs(plainCpu, made, rows, cache);
      const whole = await outputs(device, made, rows, cache);
      const sum = (values: Float32Array): number => values.reduce((all, v) => all + v * v, 0);
      const error = sum(whole.map((value, i) => value - expected[i]));
      expect(sum(expected), `seed ${seed}`).toBeGreaterThan(0);
      // Rounding a key to 16 bits may fall to the other side.
      const bound = cache === "f16" ? 1e-8 : 1e-11;
      expect(error / sum(expected), `seed ${seed}`).toBeLessThan(bound);
      for (const piece of [1, 7])
        expect(await outputs(device, made, piece, cache), `seed ${seed} by ${piece}`).toEqual(
          whole,
        );
    }
  });
});
