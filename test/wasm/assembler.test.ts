/** The assembler: numbers of any size, values used twice, loops, calls; what it writes is a module that runs here. */
import { describe, expect, it } from "vitest";
import { ModuleBuilder, signed, unsigned } from "../../src/wasm/assembler.ts";
import {
  bytes,
  f32,
  f32x4,
  float,
  floatLane,
  i32,
  int,
  ints,
  shuffle,
  v128,
} from "../../src/wasm/instructions.ts";

interface Running {
  readonly run: Readonly<Record<string, (...args: number[]) => void>>;
  readonly words: Int32Array;
  readonly floats: Float32Array;
}

async function running(module: ModuleBuilder): Promise<Running> {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { instance } = await WebAssembly.instantiate(module.bytes(), { env: { memory } });
  return {
    run: instance.exports as Running["run"],
    words: new Int32Array(memory.buffer),
    floats: new Float32Array(memory.buffer),
  };
}

/** Reads LEB128 back. */
function decoded(code: readonly number[], withSign: boolean): number {
  let value = 0;
  code.forEach((byte, i) => {
    value += (byte & 127) * 2 ** (7 * i);
    expect(byte >= 128).toBe(i < code.length - 1);
  });
  const negative = withSign && (code.at(-1) as number) & 64;
  return negative ? value - 2 ** (7 * code.length) : value;
}

describe("numbers in a module", () => {
  const near = [0, 1, 63, 64, 127, 128, 8191, 8192, 16383, 16384, 2 ** 31 - 1];
  it("are LEB128 without sign", () => {
    for (const value of [...near, 2 ** 32 - 1]) expect(decoded(unsigned(value), false)).toBe(value);
  });
  it("and with sign", () => {
    for (const value of near.flatMap((n) => [n, -n, ~n]))
      expect(decoded(signed(value), true)).toBe(value + 0);
  });
});

describe("a module", () => {
  it("runs loops, conditions and calls of functions before", async () => {
    const module = new ModuleBuilder();
    const square = module.define("square", 2, (f, at, n) => f.run(at, i32.mul(n, n), 0x36, 0, 0));
    module.define("squares", 2, (f, at, count) => {
      const n = f.let(int(0));
      f.when(count, () =>
        f.loop(
          () => {
            f.call(square, i32.add(at, i32.shl(n, int(2))), n);
            f.set(n, i32.add(n, int(1)));
          },
          () => i32.lt(n, count),
        ),
      );
    });
    const { run, words } = await running(module);
    run["squares"](64, 0);
    expect(words[16]).toBe(0);
    run["squares"](64, 300);
    expect([...words.subarray(16, 316)]).toEqual(Array.from({ length: 300 }, (_, i) => i * i));
    expect(words[316]).toBe(0);
  });

  it("computes with vectors, whose constants repeat and whose lanes count from the low end", async () => {
    const module = new ModuleBuilder();
    module.define("lanes", 2, (f, from, to) => {
      const v = f.let(v128.load(from));
      v128.store(f, to, shuffle(4, v, ints(7, 8), 3, 0, 4, 5));
      v128.store(f, to, v128.and(v, bytes(0xff, 0)), 16);
      f32.store(f, to, f32.add(floatLane(f32x4.splat(float(0.1)), 2), float(1)), 32);
    });
    const { run, words, floats } = await running(module);
    words.set([0x01020304, 2, 3, 4]);
    run["lanes"](0, 16);
    expect([...words.subarray(4, 8)]).toEqual([4, 0x01020304, 7, 8]);
    expect([...words.subarray(8, 12)]).toEqual([0x00020004, 2, 3, 4]);
    expect(floats[12]).toBe(Math.fround(Math.fround(0.1) + 1));
  });

  it("keeps globals between calls, of each instance its own, zero at first", async () => {
    const module = new ModuleBuilder();
    module.define("swap", 1, (f, at) => {
      const before = f.let(module.global(1));
      f.setGlobal(module.global(1), v128.load(at));
      v128.store(f, at, before);
    });
    const [a, b] = [await running(module), await running(module)];
    a.words.set([1, 2, 3, 4]);
    a.run["swap"](0);
    expect([...a.words.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
    a.run["swap"](0);
    expect([...a.words.subarray(0, 4)]).toEqual([1, 2, 3, 4]);
    b.run["swap"](0);
    expect([...b.words.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
  });

  it("is valid with more functions and code than a byte counts, and names them", async () => {
    const module = new ModuleBuilder();
    const names = Array.from({ length: 200 }, (_, i) => `function ${i} å`);
    for (const name of names)
      module.define(name, 1, (f, at) => {
        for (let i = 0; i < 100; i++) f32.store(f, at, float(i), 4 * i);
      });
    const code = module.bytes();
    const made = await WebAssembly.compile(code);
    expect(WebAssembly.Module.exports(made).map(({ name }) => name)).toEqual(names);
    const [section] = WebAssembly.Module.customSections(made, "name");
    expect(new TextDecoder().decode(section)).toContain("function 199 å");
  });
});
