/** Kernels of ops, bit for bit as their order of steps is stated here in 32-bit TypeScript. */
import { expect, it } from "vitest";
import { floatToHalf, halfToFloat } from "../../../src/base/half.ts";
import { bits } from "../../../src/cpu/wasm/kernels.ts";
import { placeMatrices } from "../../../src/cpu/wasm/place.ts";
import { makeRooms } from "../../../src/cpu/wasm/rooms.ts";
import { Numbers } from "../../kernels/run.ts";

const f = Math.fround;
const lanes = (v: ArrayLike<number>): number => f(f(v[0] + v[2]) + f(v[1] + v[3]));
/** (((c[0] · x + c[1]) · x + c[2]) …) */
const polynomial = (x: number, [first, ...rest]: number[]): number =>
  rest.reduce((sum, c) => f(f(sum * x) + f(c)), f(first));

function nearest(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

function exp(value: number): number {
  let x = Math.max(Math.min(value, f(88.3)), f(-86.5));
  const n = nearest(f(x * f(Math.LOG2E)));
  x = f(f(x - f(n * f(0.693359375))) - f(n * f(-2.1219444e-4)));
  const c = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1];
  const p = polynomial(x, [...c, 0.5]);
  return f(f(f(f(p * f(x * x)) + x) + 1) * 2 ** n);
}
const sigmoid = (x: number, y: number): number => f(y / f(1 + exp(-x)));
function tanh(x: number): number {
  const z = f(x * x);
  const c = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1];
  const size = Math.abs(x);
  if (size < 0.625) return f(f(f(polynomial(z, [...c, -3.33332819422e-1]) * z) * x) + x);
  return Math.sign(x) * f(1 - f(2 / f(exp(f(size + size)) + 1)));
}

/** A memory of kernels alone, with room for floats. */
async function home() {
  const wanted = { first: [2 ** 20], anywhere: [], width: 32, positions: 256 };
  const places = placeMatrices([], undefined, wanted);
  const [{ kernels, buffer }] = await makeRooms([], places);
  let next = places.areas[0].at;
  const room = (values: Float32Array | number): Float32Array => {
    const count = typeof values === "number" ? values : values.length;
    const own = new Float32Array(buffer, next, count);
    if (typeof values !== "number") own.set(values);
    next += 64 * Math.ceil(count / 16) + 64;
    return own;
  };
  return { kernels, room, scores: places.scratch.scores };
}
const same = (made: Float32Array, wanted: ArrayLike<number>): void =>
  made.forEach((value, i) => {
    if (!Object.is(value, wanted[i])) expect(value, `element ${i}`).toBe(wanted[i]);
  });

it.each<[string, (x: number) => number, (x: number) => number, number]>([
  ["exp", exp, Math.exp, 3e-7],
  ["silu", (x) => sigmoid(x, x), (x) => x / (1 + Math.exp(-x)), 5e-7],
  ["sigmoid", (x) => sigmoid(x, 1), (x) => 1 / (1 + Math.exp(-x)), 5e-7],
  ["tanh", tanh, Math.tanh, 3e-7],
])("%s has the stated bits, and is near to the function", async (name, stated, exact, error) => {
  const { kernels, room } = await home();
  const x = room(
    Float32Array.from({ length: 5001 }, (_, i) =>
      i % 2 ? (i - 2500) / 31 : ((i - 2500) / 2500) ** 3,
    ),
  );
  const y = room(x.length);
  kernels[name](x.byteOffset, y.byteOffset, x.length, 0, 0);
  same(y, Array.from(x, stated));
  y.forEach((value, i) => {
    const wanted = exact(x[i]);
    expect(Math.abs(value - wanted), `${x[i]}`).toBeLessThanOrEqual(
      error * Math.abs(wanted) + 1e-35,
    );
  });
});

it("rmsNorm has the stated bits, with weights of a run or of a row", async () => {
  const { kernels, room } = await home();
  const numbers = new Numbers(4);
  const [group, runs] = [36, 6];
  const x = room(numbers.floats(group * runs, 3));
  for (const all of [1, 3]) {
    const w = room(numbers.floats(group * all));
    const y = room(x.length);
    const eps = 1e-5;
    const [from, to] = [x.byteOffset, y.byteOffset];
    kernels["rmsNormW"](from, to, group, runs, bits(eps), w.byteOffset, 0, all);
    const wanted = new Float32Array(x.length);
    for (let run = 0; run < runs; run++) {
      const acc = new Float32Array(4);
      for (let i = 0; i < group; i++) acc[i % 4] += f(x[run * group + i] ** 2);
      const factor = f(1 / f(Math.sqrt(f(f(lanes(acc) / group) + f(eps)))));
      for (let i = 0; i < group; i++)
        wanted[run * group + i] = f(x[run * group + i] * factor) * w[(run % all) * group + i];
    }
    same(y, wanted);
  }
});

it("attention has the stated bits, for any number of positions", async () => {
  const { kernels, room, scores } = await home();
  const numbers = new Numbers(8);
  const [kw, vw, most] = [12, 40, 9];
  const [ks, vs] = [kw + 4, vw + 8];
  const q = room(numbers.floats(kw, 3));
  const keys = room(numbers.floats(ks * most, 2));
  const values = room(numbers.floats(vs * most));
  const y = room(vw);
  for (let count = 1; count <= most; count++)
    for (const [cap, slope, sink] of [
      [0, 0, Number.NaN],
      [2, 0.25, 0.3],
    ]) {
      const scale = 0.4;
      const numbersOf = [scale, cap, slope].map(bits);
      const [at, from] = [q.byteOffset, [keys.byteOffset, values.byteOffset]];
      const sizes = [count, kw, vw, 4 * ks, 4 * vs];
      kernels["attend"](at, ...from, y.byteOffset, scores, ...sizes, ...numbersOf, 20, bits(sink));
      const own = Array.from({ length: count }, (_, j) => {
        const acc = new Float32Array(4);
        for (let i = 0; i < kw; i++) acc[i % 4] += f(q[i] * keys[j * ks + i]);
        let score = f(lanes(acc) * f(scale));
        if (cap) score = f(cap * tanh(f(score / cap)));
        return slope ? f(score - f(slope * (20 - j))) : score;
      });
      const max = Math.max(...own, Number.isNaN(sink) ? Number.NEGATIVE_INFINITY : f(sink));
      const weights = own.map((score) => exp(f(score - max)));
      const sum = new Float32Array(4);
      weights.forEach((weight, j) => {
        sum[j % 4] += weight;
      });
      const all = f(lanes(sum) + (Number.isNaN(sink) ? 0 : exp(f(f(sink) - max))));
      const wanted = Array.from({ length: vw }, (_, i) =>
        f(weights.reduce((acc, w, j) => f(acc + f(w * values[j * vs + i])), 0) / all),
      );
      same(y, wanted);
    }
});

it("cache rows are rounded as 16-bit floats are, whatever their size", async () => {
  const { kernels, room } = await home();
  const sizes = [1e-9, 3e-8, 6.1e-5, 0.3, 2049.5, 65519, 65520, 1e30];
  const given = Float32Array.from({ length: 4000 }, (_, i) => {
    const size = sizes[i % 8] * (1 + ((i * 7919) % 4096) / 4096);
    return i % 3 ? size : -size;
  });
  given.set([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0]);
  const x = room(given);
  const y = room(x.length);
  kernels["halves"](x.byteOffset, y.byteOffset, x.length);
  same(
    y,
    x.map((value) => halfToFloat(floatToHalf(value))),
  );
  x[0] = Number.NaN;
  kernels["halves"](x.byteOffset, y.byteOffset, 4);
  expect(y[0]).toBeNaN();
});
