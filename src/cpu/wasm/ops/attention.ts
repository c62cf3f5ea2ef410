/**
 * Attention of one head of one row over consecutive positions of the cache. The order of sums: scores are those of
 * four lanes, lane i taking the elements 4 n + i, then (lane 0 + lane 2) + (lane 1 + lane 3); weights are summed in
 * four lanes by position in the same way; an element of the output is the sum over the positions in their order.
 */
import { alibiSlope } from "../../../graph/alibi.ts";
import type { OpOf } from "../../../graph/ops.ts";
import type { FunctionBody, I32, Local, ModuleBuilder, V128 } from "../../../wasm/assembler.ts";
import {
  f32,
  f32x4,
  floats,
  i32,
  i32x4,
  int,
  ints,
  shuffle,
  v128,
} from "../../../wasm/instructions.ts";
import { attended } from "../../ops/attention.ts";
import type { CpuOps, OpContext } from "../../ops/context.ts";
import type { KvCache, KvSlot } from "../../sequence.ts";
import type { Room } from "../kernels.ts";
import { bits, poolFor } from "../kernels.ts";
import { bump, exp, repeat, sumsOf, tanh } from "../math.ts";
import type { Scratch } from "../place.ts";
import { total } from "../products.ts";

/** Products that it makes while plain TypeScript makes one. */
const haste = 8;

const { abs, add, div, max, mul, sub } = f32x4;

/** Numbers near to those of 16-bit floats as these: halves(x, y, n). */
function defineHalves(module: ModuleBuilder): void {
  module.define("halves", 3, (f, x, y, n) => {
    const left = f.let(i32.shr(n, int(2)));
    repeat(f, left, () => {
      const value = f.let(v128.load(x));
      const size = f.let(v128.and(value, ints(0x7fffffff)));
      // Below 2^-14 they are multiples of 2^-24, to which adding a half rounds.
      const tiny = sub(add(size, floats(0.5)), floats(0.5));
      const odd = v128.and(i32x4.shr(size, int(13)), ints(1));
      const up = i32x4.add(i32x4.add(size, ints(0xfff)), odd);
      const normal = f.let(v128.and(up, ints(~0x1fff)));
      const least = i32x4.lt(size, ints(0x38800000));
      const rounded = v128.bitselect(tiny, normal, least);
      const finite = v128.bitselect(ints(0x7f800000), rounded, i32x4.gt(normal, ints(0x477fffff)));
      const number = v128.bitselect(size, finite, i32x4.gt(size, ints(0x7f800000)));
      v128.store(f, y, v128.or(number, v128.and(value, ints(-0x80000000))));
      bump(f, x, 16);
      bump(f, y, 16);
    });
  });
}

const largestLane = (f: FunctionBody, vector: V128): V128 => {
  const v = f.let(vector);
  const two = f.let(max(v, shuffle(4, v, v, 2, 3, 0, 1)));
  return max(two, shuffle(4, two, two, 1, 0, 3, 2));
};

/**
 * attend(q, keys, values, y, scores, count, keyWidth, valueWidth, keyStride, valueStride, scale, cap, slope,
 * distance, sink): `count` positions, the first of which is `distance` before the row's own; a sink of NaN is none.
 */
export function defineAttention(module: ModuleBuilder): void {
  defineHalves(module);
  module.define(
    "attend",
    15,
    (
      f,
      q,
      keys,
      values,
      y,
      scores,
      count,
      kw,
      vw,
      ks,
      vs,
      scaleBits,
      capBits,
      slopeBits,
      distance,
      sinkBits,
    ) => {
      const splat = (value: I32): Local<"v128"> => f.let(f32x4.splat(f32.fromBits(value)));
      const [scale, cap, slope, sink] = [scaleBits, capBits, slopeBits, sinkBits].map(splat);
      const lane = ints(0, 1, 2, 3);
      const [at, left] = [f.let(scores), f.let(count)];
      const most = f.let(floats(Number.NEGATIVE_INFINITY));
      const steps = f.let(int(0));
      f.loop(
        () => {
          // Behind the last position, it takes the place of those that are none.
          const rows: Local<"i32">[] = [f.let(keys)];
          for (let i = 1; i < 4; i++)
            rows.push(f.let(i32.add(rows[i - 1], i32.mul(ks, i32.lt(int(i), left)))));
          const acc = rows.map(() => f.let(floats(0)));
          const x = f.let(q);
          f.set(steps, i32.shr(kw, int(2)));
          repeat(f, steps, () => {
            const own = f.let(v128.load(x));
            rows.forEach((row, i) => {
              f.set(acc[i], add(acc[i], mul(own, v128.load(row))));
              bump(f, row, 16);
            });
            bump(f, x, 16);
          });
          const score = f.let(mul(sumsOf(f, acc), scale));
          f.when(capBits, () => f.set(score, mul(cap, tanh(f, div(score, cap)))));
          f.when(slopeBits, () => {
            const far = i32x4.sub(i32x4.splat(distance), lane);
            f.set(score, sub(score, mul(slope, abs(f32x4.fromI32(far)))));
          });
          const inside = i32x4.gt(i32x4.splat(left), lane);
          f.set(score, v128.bitselect(score, floats(Number.NEGATIVE_INFINITY), inside));
          f.set(most, max(most, score));
          v128.store(f, at, score);
          bump(f, at, 16);
          bump(f, keys, i32.shl(ks, int(2)));
          bump(f, distance, -4);
          bump(f, left, -4);
        },
        () => i32.lt(int(0), left),
      );
      f.set(most, largestLane(f, most));
      const hasSink = f.let(f32x4.eq(sink, sink));
      f.set(most, v128.bitselect(max(most, sink), most, hasSink));
      const sum = f.let(floats(0));
      f.set(at, scores);
      f.set(left, count);
      f.loop(
        () => {
          const weight = f.let(exp(f, sub(v128.load(at), most)));
          v128.store(f, at, weight);
          const inside = i32x4.gt(i32x4.splat(left), lane);
          f.set(sum, add(sum, v128.and(weight, inside)));
          bump(f, at, 16);
          bump(f, left, -4);
        },
        () => i32.lt(int(0), left),
      );
      const own = v128.and(exp(f, sub(sink, most)), hasSink);
      const all = f.let(add(f32x4.splat(total(f, sum)), own));
      /** The next 4 · n elements of the output. */
      const mix = (n: number): void => {
        const acc = Array.from({ length: n }, () => f.let(floats(0)));
        const row = f.let(values);
        f.set(at, scores);
        f.set(left, count);
        repeat(f, left, () => {
          const weight = f.let(v128.load32Splat(at));
          acc.forEach((one, i) => f.set(one, add(one, mul(weight, v128.load(row, 16 * i)))));
          bump(f, row, vs);
          bump(f, at, 4);
        });
        acc.forEach((one, i) => v128.store(f, y, div(one, all), 16 * i));
        for (const one of [values, y]) bump(f, one, 16 * n);
      };
      for (const n of [8, 1]) {
        const blocks = f.let(i32.shr(vw, int(n === 8 ? 5 : 2)));
        repeat(f, blocks, () => mix(n));
        f.set(vw, i32.and(vw, int(4 * n - 1)));
      }
    },
  );
}

/** Rows of keys or values into the cache. */
function write(
  { kernels, buffer }: Room,
  { data, width, half }: KvCache["keys"],
  rows: Float32Array,
  position: number,
): void {
  const to = position * width;
  const at = data.byteOffset + 4 * to;
  if (!half) data.set(rows, to);
  else if (rows.buffer === buffer) kernels["halves"](rows.byteOffset, at, rows.length);
  else {
    data.set(rows, to);
    kernels["halves"](at, at, rows.length);
  }
}

/** How many arguments `attend` has. */
const argCount = 15;

/** Numbers a position stand at `scores` in each memory, those of the next thread `lane` bytes behind. */
export function attentionOps(
  rooms: readonly Room[],
  plain: CpuOps,
  { scores, lanes: { scores: lane } }: Scratch,
): Partial<CpuOps> {
  const [home] = rooms;
  const lanes = Array.from({ length: argCount }, (_, i) => (i === 4 ? lane : 0));
  /** Heads [from, to) of all rows' heads. */
  const part = (
    op: OpOf<"attention">,
    c: OpContext,
    room: Room,
    y: Float32Array,
    from: number,
    to: number,
  ): void => {
    const { heads, scale, softcap, alibi } = op;
    const { heads: kvHeads, keyWidth, valueWidth } = c.graph.slots[op.slot] as KvSlot;
    const { keys, values } = c.kv(op.slot);
    const q = c.value(op.q);
    const sinks = c.weights.optional(op.sinks);
    const length = c.first + q.length / (heads * keyWidth);
    const [ks, vs] = [4 * keys.width, 4 * values.width];
    const far = room !== home;
    if (far) room.x.set(q.subarray(from * keyWidth, to * keyWidth));
    const base = far ? from : 0;
    const pool = poolFor(room, (to - from) * length * (keyWidth + valueWidth));
    const most = pool?.itemsOf(argCount) ?? 0;
    let items = 0;
    const qAt = far ? room.x.byteOffset : q.byteOffset;
    const yAt = far ? room.y.byteOffset : y.byteOffset;
    for (let at = from; at < to; at++) {
      const head = at % heads;
      const p = c.first + (at - head) / heads;
      const [begin, end] = attended(p, length, op);
      const kv = Math.floor(head / (heads / kvHeads));
      const args = [
        qAt + 4 * (at - base) * keyWidth,
        keys.data.byteOffset + begin * ks + 4 * kv * keyWidth,
        values.data.byteOffset + begin * vs + 4 * kv * valueWidth,
        yAt + 4 * (at - base) * valueWidth,
        scores,
        end - begin,
        keyWidth,
        valueWidth,
        ks,
        vs,
        bits(scale),
        bits(softcap),
        bits(alibi > 0 ? alibiSlope(head, heads, alibi) : 0),
        p - begin,
        bits(sinks ? sinks[head] : Number.NaN),
      ] as const;
      if (!pool) {
        room.kernels["attend"](...args);
        continue;
      }
      pool.table.set(args, argCount * items);
      if (++items < most && at + 1 < to) continue;
      pool.list(room.number, "attend", items, lanes);
      items = 0;
    }
    if (far) y.set(room.y.subarray(0, (to - from) * valueWidth), from * valueWidth);
  };
  const paced = async (
    op: OpOf<"attention">,
    c: OpContext,
    room: Room,
    y: Float32Array,
    all: number,
    most: number,
  ): Promise<Float32Array> => {
    for (let from = 0; from < all; from += most) {
      part(op, c, room, y, from, Math.min(all, from + most));
      await c.rest();
    }
    return y;
  };
  return {
    attention: (op, c) => {
      const { keyWidth, valueWidth } = c.graph.slots[op.slot] as KvSlot;
      const cache = c.kv(op.slot);
      const room = rooms.find(({ buffer }) => buffer === cache.keys.data.buffer);
      if (!room || keyWidth % 4 !== 0 || valueWidth % 4 !== 0) return plain.attention(op, c);
      if (op.k !== undefined) write(room, cache.keys, c.value(op.k), c.first);
      if (op.v !== undefined) write(room, cache.values, c.value(op.v), c.first);
      const q = c.value(op.q);
      const all = q.length / keyWidth;
      const y = c.make(all * valueWidth);
      const length = c.first + all / op.heads;
      let most = Math.max(1, Math.floor((haste * c.products) / (length * (keyWidth + valueWidth))));
      if (room !== home)
        most = Math.min(most, room.x.length / keyWidth, room.y.length / valueWidth);
      if (most < all) return paced(op, c, room, y, all, Math.floor(most));
      part(op, c, room, y, 0, all);
      return y;
    },
  };
}
