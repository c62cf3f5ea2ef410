/**
 * x · Wᵀ for weights in blocks, on quantized activations (see activations.ts). The loops are the same for all types.
 *
 * The order of sums, which every kernel keeps, so that a product has the same bits however many rows are computed
 * together and wherever they are computed: with g the groups of four blocks in ascending order, and for each the
 * terms in their order, each of four lanes b does, in 32-bit floats,
 *
 *     acc[b] += float(Σ code · q) · (scale · d)        the 32 products of block 4 g + b: whole numbers, exact
 *     off[b] += minimum · s                            where the type has minima
 *
 * and the product is (v[0] + v[2]) + (v[1] + v[3]) with v = acc − off (or acc). Blocks behind the end of a row
 * have the scale and the minimum 0.
 */
import type { F32, FunctionBody, Local, ModuleBuilder, V128 } from "../../wasm/assembler.ts";
import {
  f32,
  f32x4,
  floatLane,
  i16x8,
  i32,
  i32x4,
  int,
  ints,
  shuffle,
  v128,
} from "../../wasm/instructions.ts";
import type { Format } from "./format.ts";
import { bump, repeat } from "./math.ts";

/** Elements a group. */
const group = 128;

/**
 * The value, held in one of the instance's globals. V8 before 12 moves all loads of a straight piece of code to its
 * front and spills most of them; it moves none over a write.
 */
function keep(module: ModuleBuilder, f: FunctionBody, number: number, value: V128): V128 {
  const global = module.global(number);
  f.setGlobal(global, value);
  return global;
}

/** Lane i = the sum of vector i's lanes. */
function sums(f: FunctionBody, vectors: readonly V128[]): V128 {
  const [a, b] = [0, 2].map((i) => {
    const [x, y] = [f.let(vectors[i]), f.let(vectors[i + 1])];
    return f.let(i32x4.add(shuffle(4, x, y, 0, 4, 1, 5), shuffle(4, x, y, 2, 6, 3, 7)));
  });
  return i32x4.add(shuffle(4, a, b, 0, 1, 4, 5), shuffle(4, a, b, 2, 3, 6, 7));
}

/** (v[0] + v[2]) + (v[1] + v[3]) */
export function total(f: FunctionBody, vector: V128): F32 {
  const v = f.let(vector);
  return f32.add(
    f32.add(floatLane(v, 0), floatLane(v, 2)),
    f32.add(floatLane(v, 1), floatLane(v, 3)),
  );
}

const accumulate = (f: FunctionBody, into: Local<"v128">, a: V128, b: V128): void =>
  f.set(into, f32x4.add(into, f32x4.mul(a, b)));
const addDots = (dots: readonly V128[]): V128 =>
  dots.length === 0 ? ints(0) : dots.reduce((a, b) => i32x4.add(a, b));
const terms = ({ terms = 1 }: Format): number[] => Array.from({ length: terms }, (_, t) => t);

/** The parts of a type's kernels: how its file blocks make groups. */
interface Shape {
  /** Elements that a turn of a loop takes: a block of the file, or as many blocks as make a group. */
  readonly unit: number;
  /** Bytes of them. */
  readonly bytes: number;
  /** Whether a row can end inside of a group. */
  readonly tail: boolean;
}
const shapeOf = (elements: number, bytes: number): Shape => {
  const blocks = Math.max(1, group / elements);
  return { unit: elements * blocks, bytes: bytes * blocks, tail: blocks > 1 };
};

/** Ones in the lanes of the blocks of which `left` are left. */
const inside = (f: FunctionBody, { tail }: Shape, left: Local<"i32">): ((v: V128) => V128) => {
  if (!tail) return (v) => v;
  const mask = f.let(i32x4.gt(i32x4.splat(left), ints(0, 1, 2, 3)));
  return (v) => v128.and(v, mask);
};

/**
 * NAME_vec(w, stride, count, q, d, s, k, rows, y, ys): y[row][ys] of `count` weight rows. The first half and the
 * second (or four parts) are read side by side, because a processor fetches several streams ahead faster than one;
 * where parts overlap, rows are computed twice.
 */
function defineVec(
  module: ModuleBuilder,
  name: string,
  format: Format,
  shape: Shape,
): FunctionBody {
  return module.define(`${name}_vec`, 10, (f, w, stride, count, q0, d0, s0, k, rows, y, ys) => {
    const [q, d, s, left, m, to] = Array.from({ length: 6 }, () => f.let(int(0)));
    const { streams: parts = 2 } = format;
    const part = f.let(i32.shr(i32.add(count, int(parts - 1)), int(parts >> 1)));
    const last = f.let(i32.sub(count, part));
    const streams = Array.from({ length: parts }, (_, r) => ({
      /** Rows in front of it. */
      far: f.let(r === parts - 1 ? last : int(0)),
      p: f.let(int(0)),
      acc: f.let(ints(0)),
      off: f.let(ints(0)),
    }));
    streams.slice(1, -1).forEach(({ far }, r) => {
      f.set(far, i32.mul(part, int(r + 1)));
      f.when(i32.lt(last, far), () => f.set(far, last));
    });
    const unit = (): void => {
      const within = inside(f, shape, left);
      const units = streams.map(({ p }) => format.unit(f, p));
      units[0].forEach((_, g) => {
        const own = units.map((unit) => unit[g]);
        for (const term of terms(format)) {
          const dots: V128[][] = streams.map(() => []);
          for (let block = 0; block < 4; block++) {
            const at = 2 * (g * group + 32 * block);
            const xs = [0, 1, 2, 3].map((i) => f.let(v128.load(q, at + 16 * i)));
            // The sum of two integers of 15 bits has 16.
            const pair = (i: number): V128 => i16x8.add(xs[i], xs[i + 1]);
            own.forEach((part, r) => {
              const products = part.codes(block, term).flatMap((code, i, codes) => {
                if (!code || (i % 2 === 1 && code === codes[i - 1])) return [];
                const same = i % 2 === 0 && code === codes[i + 1];
                return [i32x4.dot(code, same ? pair(i) : xs[i])];
              });
              dots[r].push(keep(module, f, 4 * r + block, addDots(products)));
            });
          }
          const by = f.let(v128.load(d, 16 * g));
          own.forEach((part, r) => {
            const scale = f32x4.mul(within(part.scale(term)), by);
            accumulate(f, streams[r].acc, f32x4.fromI32(sums(f, dots[r])), scale);
          });
        }
        if (!format.minimum) return;
        const by = f.let(v128.load(s, 16 * g));
        own.forEach((part, r) => {
          if (part.minimum) accumulate(f, streams[r].off, within(part.minimum()), by);
        });
      });
    };
    f.loop(
      () => {
        f.set(q, q0);
        f.set(d, d0);
        f.set(s, s0);
        f.set(m, rows);
        f.set(to, y);
        f.loop(
          () => {
            streams.forEach(({ far, p, acc, off }, r) => {
              f.set(p, r === 0 ? w : i32.add(w, i32.mul(stride, far)));
              f.set(acc, ints(0));
              f.set(off, ints(0));
            });
            f.set(left, i32.shr(k, int(5)));
            f.loop(
              () => {
                unit();
                for (const { p } of streams) bump(f, p, shape.bytes);
                bump(f, q, 2 * shape.unit);
                bump(f, d, shape.unit / 8);
                if (format.minimum) bump(f, s, shape.unit / 8);
                bump(f, left, -shape.unit / 32);
              },
              () => i32.lt(int(0), left),
            );
            streams.forEach(({ far, acc, off }, r) => {
              const at = r === 0 ? to : i32.add(to, i32.shl(far, int(2)));
              f32.store(f, at, total(f, format.minimum ? f32x4.sub(acc, off) : acc));
            });
            f.set(to, i32.add(to, i32.shl(ys, int(2))));
            bump(f, m, -1);
          },
          () => m,
        );
        f.set(w, i32.add(w, stride));
        bump(f, y, 4);
        bump(f, part, -1);
      },
      () => part,
    );
  });
}

/** NAME_unpack(p, codes, scales, minima, k): a row as codes [group][term][128], scales [group][term][4], minima [group][4]. */
function defineUnpack(
  module: ModuleBuilder,
  name: string,
  format: Format,
  shape: Shape,
): FunctionBody {
  return module.define(`${name}_unpack`, 5, (f, p, codes, scales, minima, k) => {
    const left = f.let(i32.shr(k, int(5)));
    f.loop(
      () => {
        const within = inside(f, shape, left);
        for (const part of format.unit(f, p)) {
          for (const term of terms(format)) {
            for (let block = 0; block < 4; block++) {
              const all = part.codes(block, term);
              for (let i = 0; i < 4; i++)
                v128.store(f, codes, all[i] ?? ints(0), 64 * block + 16 * i);
            }
            v128.store(f, scales, within(part.scale(term)));
            bump(f, codes, 2 * group);
            bump(f, scales, 16);
          }
          if (!format.minimum || !part.minimum) continue;
          v128.store(f, minima, within(part.minimum()));
          bump(f, minima, 16);
        }
        bump(f, p, shape.bytes);
        bump(f, left, -shape.unit / 32);
      },
      () => i32.lt(int(0), left),
    );
  });
}

/**
 * cross(p, to, groups): of each group's 64 pairs of integers, [block][16], those of four blocks side by side,
 * [16][block], so that a lane of the tile's sums is a block. `to` may be `p`.
 */
export function defineCross(module: ModuleBuilder): FunctionBody {
  return module.define("cross", 3, (f, p, to, groups) => {
    repeat(f, groups, () => {
      const all = Array.from({ length: 16 }, (_, i) => f.let(v128.load(p, 16 * i)));
      for (let i = 0; i < 4; i++) {
        const [a, b, c, d] = [0, 4, 8, 12].map((block) => all[block + i]);
        const mixed = [[0, 4, 1, 5] as const, [2, 6, 3, 7] as const].flatMap((lanes) => {
          const [x, y] = [f.let(shuffle(4, a, b, ...lanes)), f.let(shuffle(4, c, d, ...lanes))];
          return [shuffle(4, x, y, 0, 1, 4, 5), shuffle(4, x, y, 2, 3, 6, 7)];
        });
        mixed.forEach((v, n) => v128.store(f, to, v, 64 * i + 16 * n));
      }
      bump(f, p, 2 * group);
      bump(f, to, 2 * group);
    });
  });
}

/** Weight rows that are unpacked at once. */
const tileRows = 2;
/** Vectors of a row in a turn of the tile's inner loop: as many as registers hold. */
const turn = 2;

/** tile(codes, scales, minima, q, d, s, groups, rows, y, ys): two unpacked rows of weights with rows of x, both crossed. */
function defineTile(module: ModuleBuilder, { terms = 1, minimum }: Format): FunctionBody {
  const name = `tile${terms}${minimum ? "m" : ""}`;
  return module.define(name, 10, (f, codes, scales, minima, q, d, s, groups, rows, y, ys) => {
    const [w, c, e, left, turns] = Array.from({ length: 5 }, () => f.let(int(0)));
    const times = (by: number): Local<"i32"> => f.let(i32.mul(groups, int(by)));
    // From one weight row or row of x to the next.
    const [nextCodes, nextScales, nextQ, nextD] = [256 * terms, 16 * terms, 256, 16].map(times);
    const nextY = f.let(i32.shl(ys, int(2)));
    /** Rows of x at once. */
    const block = (count: number): void => {
      const all = Array.from({ length: count * tileRows }, (_, i) => i);
      const acc = all.map(() => f.let(ints(0)));
      const off = minimum ? all.map(() => f.let(ints(0))) : [];
      const dots = all.map(() => f.let(ints(0)));
      const xs = Array.from({ length: count }, (_, m) =>
        [q, d, s].map((at, i) => f.let(i32.add(at, i32.mul(int(m), i === 0 ? nextQ : nextD)))),
      );
      f.set(w, codes);
      f.set(c, scales);
      f.set(e, minima);
      f.set(left, groups);
      f.loop(
        () => {
          for (let term = 0; term < terms; term++) {
            for (const one of dots) f.set(one, ints(0));
            const ws = [w, f.let(i32.add(w, nextCodes))];
            f.set(turns, int(16 / turn));
            f.loop(
              () => {
                for (let i = 0; i < turn; i++) {
                  const own = ws.map((p) => f.let(v128.load(p, 16 * i)));
                  xs.forEach(([qm], m) => {
                    const x = f.let(v128.load(qm, 16 * i));
                    own.forEach((code, r) => {
                      const one = dots[m * tileRows + r];
                      f.set(one, i32x4.add(one, i32x4.dot(code, x)));
                    });
                  });
                }
                for (const p of ws) bump(f, p, 16 * turn);
                for (const [qm] of xs) bump(f, qm, 16 * turn);
                bump(f, turns, -1);
              },
              () => turns,
            );
            const own = [c, i32.add(c, nextScales)].map((p) => f.let(v128.load(p)));
            xs.forEach(([qm, dm], m) => {
              own.forEach((scale, r) => {
                const at = m * tileRows + r;
                const both = f32x4.mul(scale, v128.load(dm));
                accumulate(f, acc[at], f32x4.fromI32(dots[at]), both);
              });
              if (term < terms - 1) bump(f, qm, -2 * group);
            });
            bump(f, c, 16);
          }
          if (minimum) {
            const own = [e, i32.add(e, nextD)].map((p) => f.let(v128.load(p)));
            xs.forEach(([, , sm], m) => {
              own.forEach((low, r) => accumulate(f, off[m * tileRows + r], low, v128.load(sm)));
            });
            bump(f, e, 16);
          }
          for (const [, dm, sm] of xs) {
            bump(f, dm, 16);
            bump(f, sm, 16);
          }
          bump(f, left, -1);
        },
        () => left,
      );
      for (let m = 0; m < count; m++) {
        for (let r = 0; r < tileRows; r++) {
          const at = m * tileRows + r;
          f32.store(f, y, total(f, minimum ? f32x4.sub(acc[at], off[at]) : acc[at]), 4 * r);
        }
        f.set(y, i32.add(y, nextY));
      }
      const by = (one: Local<"i32">): void => f.set(one, i32.add(one, nextD));
      for (let m = 0; m < count; m++) {
        f.set(q, i32.add(q, nextQ));
        by(d);
        by(s);
      }
      bump(f, rows, -count);
    };
    f.when(i32.lt(int(1), rows), () =>
      f.loop(
        () => block(2),
        () => i32.lt(int(1), rows),
      ),
    );
    f.when(rows, () => block(1));
  });
}

/** Bytes of scratch memory that NAME_mul takes for rows of `k` weights. */
export const unpackedBytes = (k: number): number =>
  tileRows * Math.ceil(k / group) * (2 * (2 * group + 16) + 16);

/**
 * NAME_mul: NAME_vec with two addresses behind its parameters: those of scratch memory, and of the integers of x
 * crossed; weights are unpacked once for all rows of x.
 */
function defineMul(
  module: ModuleBuilder,
  name: string,
  { terms = 1 }: Format,
  parts: Readonly<Record<"cross" | "unpack" | "tile" | "vec", FunctionBody>>,
): FunctionBody {
  return module.define(
    `${name}_mul`,
    12,
    (f, w, stride, count, q, d, s, k, rows, y, ys, codes, crossed) => {
      const groups = f.let(i32.shr(i32.add(k, int(group - 1)), int(7)));
      const [nextCodes, nextScales, nextMinima] = [256 * terms, 16 * terms, 16].map((by) =>
        f.let(i32.mul(groups, int(by))),
      );
      const after = (at: Local<"i32">, size: Local<"i32">): Local<"i32"> =>
        f.let(i32.add(at, i32.mul(size, int(tileRows))));
      const scales = after(codes, nextCodes);
      const minima = after(scales, nextScales);
      f.when(i32.lt(int(1), count), () =>
        f.loop(
          () => {
            for (const r of [0, 1]) {
              const row = (at: Local<"i32">, size: Local<"i32">): Local<"i32"> =>
                r === 0 ? at : f.let(i32.add(at, size));
              const to = [row(codes, nextCodes), row(scales, nextScales), row(minima, nextMinima)];
              f.call(parts.unpack, w, ...to, k);
              f.set(w, i32.add(w, stride));
            }
            f.call(parts.cross, codes, codes, i32.mul(groups, int(tileRows * terms)));
            f.call(parts.tile, codes, scales, minima, crossed, d, s, groups, rows, y, ys);
            bump(f, y, 4 * tileRows);
            bump(f, count, -tileRows);
          },
          () => i32.lt(int(1), count),
        ),
      );
      f.when(count, () => f.call(parts.vec, w, stride, count, q, d, s, k, rows, y, ys));
    },
  );
}

/** Adds the kernels of a type; `tiles` are those that the module has, by what they are for. */
export function defineProducts(
  module: ModuleBuilder,
  name: string,
  format: Format,
  block: { readonly elements: number; readonly bytes: number },
  tiles: Map<string, FunctionBody>,
  cross: FunctionBody,
): void {
  const shape = shapeOf(block.elements, block.bytes);
  const kind = `${format.terms} ${format.minimum}`;
  const tile = tiles.get(kind) ?? defineTile(module, format);
  tiles.set(kind, tile);
  const vec = defineVec(module, name, format, shape);
  const unpack = defineUnpack(module, name, format, shape);
  defineMul(module, name, format, { cross, unpack, tile, vec });
}
