/** Numbers of the format at their limits. */
import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { Cursor } from "../../src/gguf/cursor.ts";

/** A cursor over 64-bit little-endian numbers. */
async function over(...numbers: bigint[]): Promise<Cursor> {
  const bytes = new Uint8Array(BigUint64Array.from(numbers).buffer);
  const cursor = new Cursor(bufferSource(bytes, "numbers"));
  await cursor.fill(bytes.length, "the numbers");
  return cursor;
}

describe("a size", () => {
  it.each([0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 52n + 7n, 2n ** 53n - 1n])(
    "of %d is exact",
    async (value) => {
      expect((await over(value)).size()).toBe(Number(value));
    },
  );
  it.each([2n ** 53n, 2n ** 53n + 1n, 2n ** 54n - 1n, 2n ** 54n, 2n ** 63n, 2n ** 64n - 1n])(
    "of %d is larger than any",
    async (value) => {
      expect((await over(value)).size()).toBe(Number.POSITIVE_INFINITY);
    },
  );
});

describe("a cursor", () => {
  it("knows where it is, whatever was read ahead", async () => {
    const cursor = await over(1n, 2n, 3n);
    expect([cursor.offset, cursor.left]).toEqual([0, 24]);
    cursor.size();
    expect([cursor.offset, cursor.left, cursor.buffered]).toEqual([8, 16, 16]);
    await cursor.fill(16, "the rest");
    expect([cursor.u64(), cursor.u64(), cursor.left]).toEqual([2n, 3n, 0]);
    await expect(cursor.fill(1, "more")).rejects.toMatchObject({
      code: "gguf/malformed",
      offset: 24,
      expected: 1,
      actual: 0,
    });
  });

  it("keeps what is buffered when it reads on", async () => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31) & 255);
    const cursor = new Cursor(bufferSource(bytes, "bytes"));
    await cursor.fill(10, "a start");
    cursor.take(7);
    await cursor.fill(150_000, "a long run");
    expect(cursor.take(150_000)).toEqual(bytes.slice(7, 150_007));
    expect(cursor.offset).toBe(150_007);
  });
});
