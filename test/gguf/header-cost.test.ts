/** What a header may cost: memory and requests by what has come, never by what was announced. */
import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../src/base/source.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { announced, countedSource, keyU32, type Put, rawFile, text, u8, u32, u64 } from "./raw.ts";

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
  it("costs a small multiple of its bytes", async () => {
    const cheap = async (file: Parameters<typeof rawFile>[0]): Promise<number> => {
      const bytes = rawFile(file);
      const source = countedSource(bytes);
      const started = performance.now();
      await readGguf(source).catch(() => undefined);
      expect(source.asked).toBeLessThanOrEqual(3 * bytes.length);
      // Milliseconds a megabyte: a tenth of the limits below, on a quiet machine.
      return (performance.now() - started) / (bytes.length / 2 ** 20);
    };
    const texts = [text("t"), u32(9), u32(8), u64(500_000), filled(4_000_000, 0)];
    expect(await cheap({ pairs: [texts] })).toBeLessThan(3_000);
    const booleans = [text("b"), u32(9), u32(7), u64(500_000), ...Array(500_000).fill(u8(1))];
    expect(await cheap({ pairs: [booleans] })).toBeLessThan(6_000);
    const keys = Array.from({ length: 10_000 }, (_, i) => keyU32(i.toString(36), 1));
    expect(await cheap({ pairs: keys })).toBeLessThan(15_000);
  });

  it("is refused where no file has so many", async () => {
    // Zeros are empty keys and names, which are errors of their own, later.
    for (const file of [{ pairCount: 65_537 }, { tensorCount: 65_537 }]) {
      const bytes = rawFile({ ...file, data: 4 << 20 });
      await expect(readGguf(countedSource(bytes))).rejects.toMatchObject({ expected: 65_536 });
    }
  });
});
