/**
 * How near the CPU's kernels come to reading memory: for each type the GB/s of weights by CPU time, their share of a
 * plain sum of the same bytes in turn with them, how many times faster than plain TypeScript that is, and the
 * 10⁹ products a second of 64 rows at once. It never fails on speed.
 */
import process from "node:process";
import { usage, type Values } from "../cli/flags.ts";
import { median } from "../src/base/median.ts";
import { StoredMatrix } from "../src/cpu/matrix.ts";
import { floatFormats } from "../src/cpu/wasm/floats.ts";
import { tablesAt } from "../src/cpu/wasm/format.ts";
import { kernelBytes } from "../src/cpu/wasm/module.ts";
import { unpackedBytes } from "../src/cpu/wasm/products.ts";
import { rare } from "../src/cpu/wasm/rare.ts";
import { quantTables } from "../src/file/grids.ts";
import { type QuantType, quantByName, quants, rowBytes } from "../src/file/quants.ts";
import { tableWords } from "../src/file/tables.ts";
import { ModuleBuilder } from "../src/wasm/assembler.ts";
import { i32, i32x4, int, ints, v128 } from "../src/wasm/instructions.ts";
import { randomWeights } from "./random-blocks.ts";

const rounds = 7;
const rowsAtOnce = 64;
/** Rows of random weights that are made; the rest repeats them. */
const pattern = 256;

type Kernels = Readonly<Record<string, (...args: number[]) => void>>;

/** sum(p, count): reads `count` times 64 bytes; what it adds up is written in front of `p`. */
function sumBytes(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.define("sum", 2, (f, p, count) => {
    const sums = Array.from({ length: 4 }, () => f.let(ints(0)));
    const start = f.let(i32.sub(p, int(64)));
    f.loop(
      () => {
        sums.forEach((sum, i) => f.set(sum, i32x4.add(sum, v128.load(p, 16 * i))));
        f.set(p, i32.add(p, int(64)));
        f.set(count, i32.sub(count, int(1)));
      },
      () => count,
    );
    sums.forEach((sum, i) => v128.store(f, start, sum, 16 * i));
  });
  return module.bytes();
}

const instance = async (
  bytes: Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
): Promise<Kernels> =>
  (await WebAssembly.instantiate(bytes, { env: { memory } })).instance.exports as Kernels;

/** CPU milliseconds of one call, of as many calls as take about 30 ms. */
class Timed {
  readonly #work: () => void;
  #calls = 1;
  readonly times: number[] = [];
  constructor(work: () => void) {
    this.#work = work;
    // Until the optimized code is there.
    for (const end = performance.now() + 120; performance.now() < end; ) work();
    const start = performance.now();
    work();
    this.#calls = Math.max(1, Math.round(30 / (performance.now() - start)));
  }
  round(): void {
    const before = process.cpuUsage();
    for (let i = 0; i < this.#calls; i++) this.#work();
    const { user, system } = process.cpuUsage(before);
    this.times.push((user + system) / 1000 / this.#calls);
  }
}

interface Result {
  readonly type: string;
  /** 10⁹ bytes of weights a second. */
  readonly gbps: number;
  readonly ofSum: number;
  readonly ofPlain: number;
  /** 10⁹ products a second. */
  readonly tile: number;
}

async function measure(type: QuantType, k: number, megabytes: number): Promise<Result> {
  const stride = rowBytes(type, k);
  const count = Math.floor((megabytes * 2 ** 20) / stride);
  const bytes = count * stride;
  let end = tablesAt + 4 * tableWords;
  const take = (size: number): number => {
    const at = Math.ceil(end / 64) * 64;
    end = at + size;
    return at;
  };
  const blocks = 4 * Math.ceil(k / 128);
  const x = take(4 * rowsAtOnce * k);
  const [q, crossed, d, s] = [64, 64, 4, 4].map((size) => take(size * blocks * rowsAtOnce));
  const unpacked = take(unpackedBytes(k));
  const fewer = Math.min(count, 1024);
  const y = take(4 * Math.max(count, rowsAtOnce * fewer));
  const w = take(bytes + 256);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / 2 ** 16) });
  const { buffer } = memory;
  new Uint32Array(buffer, tablesAt).set(quantTables());
  const kernels = await instance(kernelBytes([type.name], false, rare), memory);
  const { sum } = await instance(sumBytes(), memory);
  const weights = new Uint8Array(buffer, w, bytes);
  let at = 0;
  for (const piece of randomWeights(type, k * Math.min(count, pattern), 1)) {
    weights.set(piece, at);
    at += piece.length;
  }
  for (; at < bytes; at *= 2) weights.copyWithin(at, 0, Math.min(at, bytes - at));
  const xs = new Float32Array(buffer, x, rowsAtOnce * k);
  xs.forEach((_, i) => {
    xs[i] = Math.sin(i * i);
  });
  kernels["quantize"](x, q, d, s, k, rowsAtOnce);
  kernels["cross"](q, crossed, rowsAtOnce * (blocks / 4));

  const vec = kernels[`${type.name}_vec`];
  const mul = kernels[`${type.name}_mul`];
  const isFloat = type.name in floatFormats;
  const some = Math.max(1, Math.min(count, Math.ceil(2 ** 19 / k)));
  const plain = new StoredMatrix(
    { name: "w", type, shape: [k, some], elements: k * some, offset: 0, bytes: 0, part: 0 },
    [weights.slice(0, some * stride)],
  );
  const out = new Float32Array(some);
  const first = xs.slice(0, k);
  const works: (() => void)[] = [
    () => sum(w, bytes >> 6),
    () =>
      isFloat
        ? vec(w, stride, count, x, k, 1, y, count)
        : vec(w, stride, count, q, d, s, k, 1, y, count),
    () => plain.multiply(first, 1, { first: 0, out: some, from: 0, to: some }, out),
    () =>
      isFloat
        ? vec(w, stride, fewer, x, k, rowsAtOnce, y, fewer)
        : mul(w, stride, fewer, q, d, s, k, rowsAtOnce, y, fewer, unpacked, crossed),
  ];
  const timed = works.map((work) => new Timed(work));
  // In turn, so that what else the machine does hits all alike.
  for (let round = 0; round < rounds; round++) for (const one of timed) one.round();
  const [read, own, slow, tile] = timed.map(({ times }) => times);
  const gbps = bytes / median(own) / 1e6;
  return {
    type: type.name,
    gbps,
    ofSum: median(own.map((ms, i) => (read[i] / ms) * (bytes / (64 * (bytes >> 6))))),
    ofPlain: gbps / ((some * stride) / median(slow) / 1e6),
    tile: (fewer * rowsAtOnce * k) / median(tile) / 1e6,
  };
}

function typesOf(text: string): QuantType[] {
  const usable = quants.filter(({ data }) => !data);
  if (text === "all") return usable;
  return text.split(",").map((name) => {
    const type = quantByName(name);
    if (!type || !usable.includes(type)) throw usage(`--types does not know "${name}"`);
    return type;
  });
}

export async function benchCpu(values: Values): Promise<void> {
  const results: Result[] = [];
  const json = values.switch("json");
  if (!json) process.stdout.write("type       GB/s   of sum   of TypeScript   GMAC/s of 64 rows\n");
  for (const type of typesOf(values.text("types") ?? "all")) {
    const [, k = "1024"] = /^(\d+)/.exec(values.text("shapes") ?? "") ?? [];
    const result = await measure(type, Number(k), 64);
    results.push(result);
    const { gbps, ofSum, ofPlain, tile } = result;
    if (!json)
      process.stdout.write(
        `${type.name.padEnd(8)}${gbps.toFixed(2).padStart(7)}${ofSum.toFixed(2).padStart(9)}${ofPlain.toFixed(1).padStart(16)}${tile.toFixed(1).padStart(20)}\n`,
      );
  }
  if (json) process.stdout.write(`${JSON.stringify(results, null, 1)}\n`);
}
