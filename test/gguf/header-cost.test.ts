/** What a header may cost: memory and requests by what has come, never by what was announced. */
import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../src/base/source.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { announced, countedSource, keyU32, type Put, rawFile, text, u32, u64 } from "./raw.ts";

/** A file of a petabyte whose bytes behind the header are zero; it tells the longest read and their sum. */
function petabyte(
  header: Uint8Array<ArrayBuffer>,
): ByteSource & { longest: number; asked: number } {
  const source = {
    name: "petabyte.gguf",
    size: 2 ** 50,
    longest: 0,
    asked: 0,
    async read(offset: number, length: number) {
      source.longest = Math.max(source.longest, length);
      source.asked += length;
      const bytes = new Uint8Array(length);
      if (offset < header.length) bytes.set(header.subarray(offset, offset + length));
      return bytes;
    },
    async *stream() {},
    async close() {},
  };
  return source;
}

const arrayOf = (type: number, count: number): Put[] => [
  text("key"),
  u32(9),
  u32(type),
  u64(count),
];

describe("a petabyte that a source claims", () => {
  it.each([
    ["tensors", { tensorCount: 2 ** 40 }],
    ["metadata keys", { pairCount: 2 ** 40 }],
    ["a text", { pairs: [[text("key"), u32(8), ...announced(2 ** 40)]] }],
    ["an array of texts", { pairs: [arrayOf(8, 2 ** 40)] }],
    ["an array of numbers", { pairs: [arrayOf(12, 2 ** 26)] }],
    ["an array of booleans", { pairs: [arrayOf(7, 2 ** 40)] }],
  ])("is no licence for as many %s", async (_, file) => {
    const source = petabyte(rawFile(file));
    await expect(readGguf(source)).rejects.toMatchObject({ code: /^gguf\// });
    expect(source.longest).toBeLessThanOrEqual(4 << 20);
    expect(source.asked).toBeLessThan(1 << 20);
  });
});

describe("a long value", () => {
  it("is read in pieces, and takes no memory before it has come", async () => {
    const header = rawFile({ pairs: [arrayOf(12, 2 ** 21)] });
    const source = petabyte(header);
    const { metadata } = await readGguf(source);
    expect(metadata.numbers("key").length).toBe(2 ** 21);
    expect(source.longest).toBeLessThanOrEqual(4 << 20);
    // What does not come ends it.
    const broken = petabyte(header);
    const read = broken.read;
    let pieces = 0;
    broken.read = (offset, length) =>
      ++pieces > 3 ? Promise.reject(new Error("gone")) : read(offset, length);
    await expect(readGguf(broken)).rejects.toThrow("gone");
    expect(broken.asked).toBeLessThan(1 << 20);
  });
});

describe("a source that gives other than was asked for", () => {
  it.each([[-1], [1], [-1000]])("by %d bytes is an error", async (off) => {
    const header = rawFile({ pairs: [keyU32("a", 1)] });
    const source = petabyte(header);
    source.read = async (_, length) => new Uint8Array(Math.max(0, length + off));
    await expect(readGguf(source)).rejects.toMatchObject({ code: "source/io" });
  });
});

/** Many equal bytes. */
const filled =
  (length: number, value: number): Put =>
  (out) =>
    out.raw(new Uint8Array(length).fill(value));

describe("a small file of many small things", () => {
  /** Reads a file; tells the bytes that were asked for, copied or decoded, and the numbers read, for each of its bytes. */
  async function work(pair: Put[][]): Promise<number> {
    const bytes = rawFile({ pairs: pair });
    const source = countedSource(bytes);
    let units = 0;
    const undo: (() => void)[] = [];
    const counted = <K extends string>(
      prototype: Record<K, (...args: never[]) => unknown>,
      names: readonly K[],
      cost: (self: unknown, args: readonly unknown[]) => number,
    ): void => {
      for (const name of names) {
        const real = prototype[name];
        undo.push(() => void (prototype[name] = real));
        prototype[name] = function (this: unknown, ...args: never[]) {
          units += cost(this, args);
          return real.apply(this, args);
        };
      }
    };
    const lengthOf = (value: unknown): number => Object(value).byteLength ?? 0;
    const typed = Object.getPrototypeOf(Uint8Array.prototype);
    counted(typed, ["set"], (_, [from]) => lengthOf(from));
    counted(typed, ["slice"], (self, [from = 0, to = lengthOf(self)]) => Number(to) - Number(from));
    counted(TextDecoder.prototype as never, ["decode"], (_, [from]) => 1 + lengthOf(from));
    const numbers = ["getUint8", "getUint32", "getInt32", "getFloat32", "getBigUint64"] as const;
    counted(DataView.prototype as never, numbers, () => 1);
    counted(Map.prototype as never, ["set", "get", "has"], () => 1);
    try {
      await readGguf(source);
    } finally {
      for (const one of undo) one();
    }
    return (units + source.asked) / bytes.length;
  }

  it.each([
    ["empty texts", (n: number) => [[text("t"), u32(9), u32(8), u64(n), filled(8 * n, 0)]]],
    ["booleans", (n: number) => [[text("b"), u32(9), u32(7), u64(n), filled(n, 1)]]],
    ["keys", (n: number) => Array.from({ length: n / 10 }, (_, i) => keyU32(i.toString(36), 1))],
  ])("costs a small multiple of its bytes: %s", async (_, pairs) => {
    // Numbers that come out the same on every machine, and for any length.
    const [few, many] = [await work(pairs(100_000)), await work(pairs(400_000))];
    expect(few).toBeLessThan(4);
    expect(many).toBeLessThan(1.2 * few);
  });

  it("is refused where no file has so many", async () => {
    // Zeros are empty keys and names, which are errors of their own, later.
    for (const file of [{ pairCount: 65_537 }, { tensorCount: 65_537 }]) {
      const bytes = rawFile({ ...file, data: 4 << 20 });
      await expect(readGguf(countedSource(bytes))).rejects.toMatchObject({ expected: 65_536 });
    }
  });
});
