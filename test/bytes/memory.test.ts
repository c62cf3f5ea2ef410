import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../src/base/source.ts";
import { blobSource } from "../../src/bytes/blob.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { countingBytes } from "./fake-server.ts";

const content = countingBytes(5_000_000);
const sources: [string, () => ByteSource][] = [
  ["an ArrayBuffer", () => bufferSource(content.buffer)],
  ["a Uint8Array", () => bufferSource(content)],
  ["a Blob", () => blobSource(new Blob([content]))],
  ["a File", () => blobSource(new File([content], "model.gguf"))],
];

describe.each(sources)("a source over %s", (_, open) => {
  it("reads ranges exactly", async () => {
    const source = open();
    expect(source.size).toBe(5_000_000);
    expect(await source.read(1_000_001, 999)).toEqual(content.slice(1_000_001, 1_001_000));
    expect((await source.read(5_000_000, 0)).length).toBe(0);
    await source.close();
    await source.close();
  });

  it("streams in pieces of at most a few MiB", async () => {
    let at = 11;
    let largest = 0;
    for await (const piece of open().stream(11, 4_500_000)) {
      expect(piece[0]).toBe(content[at]);
      at += piece.length;
      largest = Math.max(largest, piece.length);
    }
    expect(at).toBe(4_500_011);
    expect(largest <= 4 * 1024 * 1024).toBe(true);
  });

  it("refuses ranges outside, and stops when told to", async () => {
    const source = open();
    for (const [offset, length] of [
      [4_999_999, 2],
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [Number.MAX_SAFE_INTEGER, 1],
    ])
      await expect(source.read(offset, length)).rejects.toMatchObject({ code: "source/io" });
    const signal = AbortSignal.abort("stop");
    await expect(source.read(0, 1, signal)).rejects.toBe("stop");
    await expect(source.stream(0, 1, signal)[Symbol.asyncIterator]().next()).rejects.toBe("stop");
  });
});

describe("names", () => {
  it("come from the file, or say what it is", () => {
    expect(blobSource(new File([], "a.gguf")).name).toBe("a.gguf");
    expect(blobSource(new Blob([])).name).toBe("blob");
    expect(bufferSource(new ArrayBuffer(1)).name).toBe("memory");
    expect(bufferSource(new ArrayBuffer(1), "b").name).toBe("b");
  });
});

describe("memory that was given away", () => {
  it("is an error, not zeros or a shorter file", async () => {
    const bytes = new Uint8Array(1000);
    const source = bufferSource(bytes, "given");
    const stream = source.stream(0, 1000)[Symbol.asyncIterator]();
    structuredClone(bytes, { transfer: [bytes.buffer] });
    const changed = { code: "source/changed", file: "given" };
    await expect(source.read(0, 10)).rejects.toMatchObject(changed);
    await expect(stream.next()).rejects.toMatchObject(changed);
  });
});

describe("a Blob whose file is gone", () => {
  it.each([
    ["fails", () => Promise.reject(new Error("NotReadableError"))],
    ["comes short", async () => new ArrayBuffer(3)],
  ])("%s, which is said", async (_, arrayBuffer) => {
    const blob = new Blob([content]);
    blob.slice = () => ({ arrayBuffer }) as unknown as Blob;
    const source = blobSource(blob, "chosen");
    const changed = { code: "source/changed", file: "chosen" };
    await expect(source.read(0, 10)).rejects.toMatchObject(changed);
  });
});
