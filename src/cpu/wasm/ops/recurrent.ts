/** State that moves on row by row: convolutions, state spaces, delta rules. States are changed in place. */
import type { FunctionBody, I32, Local, ModuleBuilder, V128 } from "../../../wasm/assembler.ts";
import { f32, f32x4, floats, i32, int, v128 } from "../../../wasm/instructions.ts";
import type { CpuOps } from "../../ops/context.ts";
import type { Room } from "../kernels.ts";
import { bits } from "../kernels.ts";
import { bump, bytesOf, exp, repeat, vectorsOf } from "../math.ts";
import { total } from "../products.ts";

const { add, mul, sub } = f32x4;
const accumulate = (f: FunctionBody, sum: Local<"v128">, a: V128, b: V128): void =>
  f.set(sum, add(sum, mul(a, b)));

/** Kernel sizes of the convolutions. */
const taps = [2, 3, 4];

export function defineRecurrent(module: ModuleBuilder): void {
  // convK(x0 … x(K−1), w, y, width, bias, nextBias): a row of y from K rows of x, weights [width][K].
  for (const kernel of taps)
    module.define(`conv${kernel}`, kernel + 5, (f, ...params) => {
      const xs = params.slice(0, kernel);
      const [w, y, width, bias, nextBias] = params.slice(kernel);
      f.set(width, vectorsOf(width));
      repeat(f, width, () => {
        const sum = f.let(v128.load(bias));
        xs.forEach((x, j) => {
          const own = [0, 1, 2, 3].reduce<V128>(
            (v, lane) => v128.load32Lane(w, v, lane, 4 * (kernel * lane + j)),
            floats(0),
          );
          accumulate(f, sum, own, v128.load(x));
          bump(f, x, 16);
        });
        v128.store(f, y, sum);
        bump(f, w, 16 * kernel);
        bump(f, y, 16);
        bump(f, bias, nextBias);
      });
    });

  // ssmH: one decay a head; ssmS: one a state. (x, dt, a, b, c, d, nextD, s, y, heads, headWidth, state)
  for (const perState of [false, true])
    module.define(
      perState ? "ssmS" : "ssmH",
      12,
      (f, x, dt, a, b, c, d, nextD, s, y, heads, headWidth, state) => {
        const vectors = f.let(i32.shr(state, int(2)));
        repeat(f, heads, () => {
          const step = f.let(v128.load32Splat(dt));
          const decay = f.let(floats(0));
          if (!perState) f.set(decay, exp(f, mul(step, v128.load32Splat(a))));
          const left = f.let(headWidth);
          repeat(f, left, () => {
            const value = f.let(v128.load32Splat(x));
            const input = f.let(mul(step, value));
            const [rates, bs, cs, turns] = [a, b, c, vectors].map((one) => f.let(one));
            const sum = f.let(floats(0));
            repeat(f, turns, () => {
              if (perState) f.set(decay, exp(f, mul(step, v128.load(rates))));
              const next = f.let(add(mul(v128.load(s), decay), mul(input, v128.load(bs))));
              v128.store(f, s, next);
              accumulate(f, sum, next, v128.load(cs));
              for (const at of [rates, bs, cs, s]) bump(f, at, 16);
            });
            f32.store(f, y, f32.add(total(f, sum), f32.mul(f32.load(d), f32.load(x))));
            bump(f, x, 4);
            bump(f, y, 4);
          });
          bump(f, dt, 4);
          bump(f, a, perState ? bytesOf(state) : 4);
          bump(f, d, nextD);
        });
      },
    );

  // deltaNet(s, q, k, v, decay, nextDecay, beta, y, keyWidth, valueWidth, scale): a head, 16 columns at a time.
  module.define("deltaNet", 11, (f, s, q, k, v, decay, nextDecay, beta, y, kw, vw, scale) => {
    const next = f.let(bytesOf(vw));
    const by = f.let(v128.load32Splat(beta));
    const factor = f.let(f32x4.splat(f32.fromBits(scale)));
    const blocks = f.let(i32.shr(vw, int(4)));
    const four = [0, 1, 2, 3];
    const columns = (of: (i: number) => V128): Local<"v128">[] => four.map((i) => f.let(of(i)));
    repeat(f, blocks, () => {
      const u = columns(() => floats(0));
      const lines = (
        body: (line: Local<"i32">, key: V128, others: Local<"i32">[]) => void,
      ): void => {
        const [line, key, query, rate, left] = [s, k, q, decay, kw].map((one) => f.let(one));
        repeat(f, left, () => {
          body(line, f.let(v128.load32Splat(key)), [query, rate]);
          bump(f, line, next);
          bump(f, key, 4);
          bump(f, query, 4);
          bump(f, rate, nextDecay);
        });
      };
      lines((line, key, [, rate]) => {
        const less = f.let(v128.load32Splat(rate));
        for (const i of four) {
          const own = f.let(mul(v128.load(line, 16 * i), less));
          v128.store(f, line, own, 16 * i);
          accumulate(f, u[i], own, key);
        }
      });
      for (const i of four) f.set(u[i], mul(by, sub(v128.load(v, 16 * i), u[i])));
      const sum = columns(() => floats(0));
      lines((line, key, [query]) => {
        const wanted = f.let(v128.load32Splat(query));
        for (const i of four) {
          const own = f.let(add(v128.load(line, 16 * i), mul(key, u[i])));
          v128.store(f, line, own, 16 * i);
          accumulate(f, sum[i], own, wanted);
        }
      });
      for (const i of four) v128.store(f, y, mul(sum[i], factor), 16 * i);
      for (const at of [s, v, y]) bump(f, at, 64);
    });
  });

  // wkv7(s, r, w, k, v, a, b, y, heads, headWidth): a row.
  module.define("wkv7", 10, (f, s, r, w, k, v, a, b, y, heads, headWidth) => {
    const vectors = f.let(i32.shr(headWidth, int(2)));
    repeat(f, heads, () => {
      const left = f.let(headWidth);
      repeat(f, left, () => {
        const [line, as, turns] = [s, a, vectors].map((one) => f.let(one));
        const sum = f.let(floats(0));
        repeat(f, turns, () => {
          accumulate(f, sum, v128.load(line), v128.load(as));
          bump(f, line, 16);
          bump(f, as, 16);
        });
        const sa = f.let(f32x4.splat(total(f, sum)));
        const value = f.let(v128.load32Splat(v));
        const [rs, ws, ks, bs] = [r, w, k, b].map((one) => f.let(one));
        f.set(turns, vectors);
        f.set(sum, floats(0));
        repeat(f, turns, () => {
          const kept = add(mul(v128.load(s), v128.load(ws)), mul(sa, v128.load(bs)));
          const own = f.let(add(kept, mul(value, v128.load(ks))));
          v128.store(f, s, own);
          accumulate(f, sum, own, v128.load(rs));
          for (const at of [s, rs, ws, ks, bs]) bump(f, at, 16);
        });
        f32.store(f, y, total(f, sum));
        bump(f, v, 4);
        bump(f, y, 4);
      });
      const next: I32 = bytesOf(headWidth);
      for (const at of [r, w, k, a, b]) bump(f, at, next);
    });
  });
}

export function recurrentOps(
  { kernels: k, buffer, x: room }: Room,
  plain: CpuOps,
): Partial<CpuOps> {
  const here = (state: Float32Array): boolean => state.buffer === buffer;
  return {
    conv: (op, c) => {
      const x = c.value(op.x);
      const width = c.width(op.x);
      const { kernel } = op;
      const state = c.state(op, (kernel - 1) * width);
      if (!taps.includes(kernel) || width % 4 !== 0 || !here(state)) return plain.conv(op, c);
      const [weight, bias] = [c.weights.vector(op.weight), c.weights.optional(op.bias)];
      const y = c.make(x.length);
      const bytes = 4 * width;
      const rows = x.length / width;
      const past = state.byteOffset;
      const rowAt = (t: number): number =>
        t < 0 ? past + (t + kernel - 1) * bytes : x.byteOffset + t * bytes;
      // At address 0 there are zeros.
      const [plus, next] = bias ? [bias.byteOffset, 16] : [0, 0];
      for (let t = 0; t < rows; t++) {
        const [w, to] = [weight.byteOffset, y.byteOffset + t * bytes];
        if (kernel === 2) k["conv2"](rowAt(t - 1), rowAt(t), w, to, width, plus, next);
        else if (kernel === 3)
          k["conv3"](rowAt(t - 2), rowAt(t - 1), rowAt(t), w, to, width, plus, next);
        else
          k["conv4"](
            ...([rowAt(t - 3), rowAt(t - 2), rowAt(t - 1), rowAt(t)] as const),
            ...([w, to, width, plus, next] as const),
          );
      }
      const kept = Math.max(0, kernel - 1 - rows);
      if (kept > 0) k["move"](past, past + rows * bytes, kept * bytes, 1, 0, 0);
      const fresh = kernel - 1 - kept;
      k["move"](past + kept * bytes, rowAt(rows - fresh), fresh * bytes, 1, 0, 0);
      return y;
    },
    shift: (op, c) => {
      const x = c.value(op.x);
      const state = c.state(op, c.width(op.x));
      if (!here(state)) return plain.shift(op, c);
      const y = c.make(x.length);
      const bytes = state.byteLength;
      k["move"](y.byteOffset, state.byteOffset, bytes, 1, 0, 0);
      k["move"](y.byteOffset + bytes, x.byteOffset, x.byteLength - bytes, 1, 0, 0);
      k["move"](state.byteOffset, x.byteOffset + x.byteLength - bytes, bytes, 1, 0, 0);
      return y;
    },
    ssm: (op, c) => {
      const { heads, headWidth, groups, state } = op;
      const inner = heads * headWidth;
      const s = c.state(op, c.width(op.x) * state);
      if (state % 4 !== 0 || heads > room.length || !here(s)) return plain.ssm(op, c);
      const x = c.value(op.x);
      const [dts, bs, cs] = [c.value(op.dt), c.value(op.b), c.value(op.c)];
      const a = c.weights.vector(op.a);
      const [d, dtBias] = [c.weights.optional(op.d), c.weights.optional(op.dtBias)];
      const y = c.make(x.length);
      const name = a.length === heads * state && state > 1 ? "ssmS" : "ssmH";
      const own = heads / groups;
      for (let row = 0; row < x.length / inner; row++) {
        const dt = dts.byteOffset + 4 * row * heads;
        const steps = room.byteOffset;
        if (dtBias) k["add"](dt, dtBias.byteOffset, steps, heads, 1, 0, 0);
        k["softplus"](dtBias ? steps : dt, steps, heads, 0, 0);
        for (let group = 0; group < groups; group++) {
          const [head, run] = [group * own, 4 * (row * groups + group) * state];
          const channel = head * headWidth;
          k[name](
            x.byteOffset + 4 * (row * inner + channel),
            steps + 4 * head,
            a.byteOffset + 4 * head * (name === "ssmS" ? state : 1),
            bs.byteOffset + run,
            cs.byteOffset + run,
            d ? d.byteOffset + 4 * head : 0,
            d ? 4 : 0,
            s.byteOffset + 4 * channel * state,
            y.byteOffset + 4 * (row * inner + channel),
            own,
            headWidth,
            state,
          );
        }
      }
      return y;
    },
    deltaNet: (op, c) => {
      const { heads, keyHeads, keyWidth, valueWidth, scale, tiled } = op;
      const s = c.state(op, heads * keyWidth * valueWidth);
      const [q, key, v] = [c.value(op.q), c.value(op.k), c.value(op.v)];
      const [g, beta] = [c.value(op.g), c.value(op.beta)];
      const rows = beta.length / heads;
      /** Decays of a head. */
      const own = g.length / (rows * heads);
      if (valueWidth % 16 !== 0 || heads * own + 4 > room.length || !here(s))
        return plain.deltaNet(op, c);
      const y = c.make(v.length);
      for (let row = 0; row < rows; row++) {
        k["exp"](g.byteOffset + 4 * row * heads * own, room.byteOffset, heads * own, 0, 0);
        for (let head = 0; head < heads; head++) {
          const keyHead = tiled ? head % keyHeads : Math.floor(head / (heads / keyHeads));
          const from = 4 * (row * keyHeads + keyHead) * keyWidth;
          const at = row * heads + head;
          k["deltaNet"](
            s.byteOffset + 4 * head * keyWidth * valueWidth,
            q.byteOffset + from,
            key.byteOffset + from,
            v.byteOffset + 4 * at * valueWidth,
            room.byteOffset + 4 * head * own,
            own > 1 ? 4 : 0,
            beta.byteOffset + 4 * at,
            y.byteOffset + 4 * at * valueWidth,
            keyWidth,
            valueWidth,
            bits(scale),
          );
        }
      }
      return y;
    },
    wkv7: (op, c) => {
      const { heads, headWidth } = op;
      const s = c.state(op, heads * headWidth * headWidth);
      if (headWidth % 4 !== 0 || !here(s)) return plain.wkv7(op, c);
      const { r, w, k: keys, v, a, b } = op;
      const y = c.make(c.value(r).length);
      const width = heads * headWidth;
      for (let at = 0; at < 4 * y.length; at += 4 * width)
        k["wkv7"](
          s.byteOffset,
          c.value(r).byteOffset + at,
          c.value(w).byteOffset + at,
          c.value(keys).byteOffset + at,
          c.value(v).byteOffset + at,
          c.value(a).byteOffset + at,
          c.value(b).byteOffset + at,
          y.byteOffset + at,
          heads,
          headWidth,
        );
      return y;
    },
  };
}
