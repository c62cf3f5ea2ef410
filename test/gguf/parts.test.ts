/** Sets of parts: what counts as one, and how little a set that is none can cost. */
import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../src/base/source.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import type { MetadataValue } from "../../src/file/metadata.ts";
import { quantByName } from "../../src/file/quants.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufBytes } from "../../src/gguf/write.ts";

type Keys = Record<string, MetadataValue>;

/** A file of these keys with one tensor. */
const bytes = (keys: Keys, tensor = "a"): Promise<Uint8Array<ArrayBuffer>> =>
  ggufBytes({
    metadata: Object.entries(keys),
    tensors: [{ name: tensor, type: quantByName("F32")!, shape: [1], data: new Uint8Array(4) }],
  });

const name = (no: number, count: number): string => {
  const digits = (n: number): string => String(n).padStart(5, "0");
  return `m-${digits(no + 1)}-of-${digits(count)}.gguf`;
};

const part = (no: number, count: number, more: Keys = {}): Promise<Uint8Array<ArrayBuffer>> =>
  bytes({ "split.no": no, "split.count": count, ...more }, `t${no}`);

/** Reads a set whose parts a server makes up; tells what was asked for, and what stayed open. */
async function read(count: number, serve: (no: number) => Promise<Uint8Array<ArrayBuffer>>) {
  const asked: number[] = [];
  let open = 0;
  const source = async (no: number): Promise<ByteSource> => {
    open++;
    return { ...bufferSource(await serve(no), name(no, count)), close: async () => void open-- };
  };
  const outcome = await readGguf(await source(0), {
    open: (path) => {
      const no = Number(/-(\d+)-of/.exec(path)![1]) - 1;
      asked.push(no);
      return source(no);
    },
  }).catch((error: unknown) => error);
  return { outcome, asked, open: open - 1 };
}

const refused = { code: "gguf/malformed" };

describe("a file that was split and merged again", () => {
  it.each([
    ["a count of 0", { "split.count": 0 }],
    ["a count of 1", { "split.count": 1 }],
    [
      "a count of 0 and all other keys",
      { "split.no": 7, "split.count": 0, "split.tensors.count": 99 },
    ],
    ["no count, but a number", { "split.no": 3, "split.tensors.count": 2 }],
  ])("is one file: %s", async (_, keys) => {
    const file = await readGguf(bufferSource(await bytes(keys)));
    expect([...file.tensors.keys()]).toEqual(["a"]);
  });
});

describe("a set of parts", () => {
  it("is read one after the other, the first one once", async () => {
    const { outcome, asked } = await read(4, (no) => part(no, 4, { "split.tensors.count": 4 }));
    expect((outcome as { tensors: Map<string, unknown> }).tensors.size).toBe(4);
    expect(asked).toEqual([1, 2, 3]);
  });

  it.each<[string, number, (no: number) => Promise<Uint8Array<ArrayBuffer>>]>([
    ["the same file under every name", 1, () => part(0, 4000)],
    ["another count", 1, (no) => part(no, no === 0 ? 4000 : 3999)],
    ["a file that is no part", 1, (no) => (no === 0 ? part(0, 4000) : bytes({}))],
    [
      "another model",
      1,
      (no) => part(no, 4000, { "general.architecture": no === 0 ? "llama" : "x" }),
    ],
    ["another number of tensors", 1, (no) => part(no, 4000, { "split.tensors.count": 4000 - no })],
    ["more tensors than announced", 3, (no) => part(no, 4000, { "split.tensors.count": 3 })],
    ["another part of the set", 1, (no) => part(no === 0 ? 0 : no + 1, 4000)],
    ["no model at all", 1, async (no) => (no === 0 ? part(0, 4000) : new Uint8Array(999))],
    ["a count that no model has", 0, (no) => part(no, 4097)],
    ["the largest count", 0, (no) => part(no, 65_535)],
    ["a count beyond integers", 0, (no) => part(no, 2 ** 40)],
  ])("that cannot be one is refused at once: %s", async (_, requests, serve) => {
    const { outcome, asked, open } = await read(4000, serve);
    expect(outcome).toMatchObject(requests === 0 ? {} : refused);
    expect((outcome as { code: string }).code).toMatch(/^(gguf|model)\//);
    expect(asked.length).toBe(requests);
    expect(open).toBe(0);
  });
});
