import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../src/base/source.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import type { MetadataValue } from "../../src/file/metadata.ts";
import { quantByName } from "../../src/file/quants.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { siblingName } from "../../src/gguf/split.ts";
import {
  ggufBytes,
  ggufHeader,
  type WritableTensor,
  writeGguf,
  writeSplitGguf,
} from "../../src/gguf/write.ts";
import { typed } from "../../src/gguf/write-value.ts";

const F32 = quantByName("F32")!;
const Q8_0 = quantByName("Q8_0")!;

const metadata: [string, MetadataValue][] = [
  ["text", "grüß 😀"],
  ["empty", ""],
  ["yes", true],
  ["no", false],
  ["small", 7],
  ["negative", -7],
  ["large", 2 ** 40],
  ["huge", 2n ** 63n],
  ["deep", -(2n ** 62n)],
  ["real", 0.5],
  ["strings", ["a", "", "ü"]],
  ["booleans", [true, false, true]],
  ["u8", Uint8Array.of(1, 255)],
  ["i8", Int8Array.of(1, -1)],
  ["u16", Uint16Array.of(1, 65535)],
  ["i16", Int16Array.of(1, -1)],
  ["u32", Uint32Array.of(1, 4294967295)],
  ["i32", Int32Array.of(1, -1)],
  ["f32", Float32Array.of(0.5, -0.25)],
  ["u64", BigUint64Array.of(1n, 2n ** 64n - 1n)],
  ["i64", BigInt64Array.of(1n, -1n)],
  ["f64", Float64Array.of(0.1, -0.1)],
];

const bytes = (length: number, seed: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 255);

const tensors: WritableTensor[] = [
  { name: "a", type: F32, shape: [3, 5], data: bytes(60, 1) },
  { name: "b", type: Q8_0, shape: [64, 2], data: bytes(136, 2) },
  { name: "c", type: F32, shape: [4, 0], data: new Uint8Array(0) },
  { name: "d", type: Q8_0, shape: [32, 2, 3], data: () => [bytes(4, 3), bytes(200, 4)] },
];

const whole = (tensor: WritableTensor): number[] => {
  const pieces = typeof tensor.data === "function" ? tensor.data() : [tensor.data];
  return [...(pieces as Iterable<Uint8Array>)].flatMap((piece) => [...piece]);
};

describe("a written file", () => {
  it.each([1, 32, 64, 4096])("reads as it was written with alignment %i", async (alignment) => {
    const written = await ggufBytes({ metadata, tensors, alignment });
    const source = bufferSource(written, "written.gguf");
    const file = await readGguf(source);
    expect([file.name, file.version, file.alignment]).toEqual(["written.gguf", 3, alignment]);
    const pairs = [...file.metadata].filter(([key]) => key !== "general.alignment");
    expect(pairs).toEqual(metadata);
    expect([...file.tensors.keys()]).toEqual(tensors.map(({ name }) => name));
    expect(written.length % alignment).toBe(0);
    for (const tensor of tensors) {
      const found = file.tensors.get(tensor.name)!;
      expect([...found.shape]).toEqual([...tensor.shape]);
      expect(found.type).toBe(tensor.type);
      expect((found.offset - file.dataOffsets[0]) % alignment).toBe(0);
      expect([...(await source.read(found.offset, found.bytes))]).toEqual(whole(tensor));
    }
  });

  it("stores numbers in the type that was asked for", async () => {
    const file = await readGguf(
      bufferSource(
        await ggufBytes({
          metadata: [
            ["base", typed("f32", 10000)],
            ["exact", typed("f64", 0.1)],
            ["byte", typed("u8", 200)],
            ["short", typed("i16", -2)],
            ["wide", typed("i64", 5)],
          ],
          tensors: [],
        }),
      ),
    );
    expect([...file.metadata]).toEqual([
      ["base", 10000],
      ["exact", 0.1],
      ["byte", 200],
      ["short", -2],
      ["wide", 5],
    ]);
  });

  it("tells its size before its data, and streams in order", async () => {
    let size = 0;
    const options = { metadata, tensors };
    expect(await writeGguf((piece) => void (size += piece.length), options)).toBe(size);
    expect(ggufHeader(options).size).toBe(size);
  });

  it("refuses data and shapes that do not fit", async () => {
    const write = (tensor: Partial<WritableTensor>) =>
      ggufBytes({ metadata: [], tensors: [{ ...tensors[1], ...tensor }] });
    for (const wrong of [
      { data: bytes(135, 1) },
      { data: bytes(137, 1) },
      { shape: [65, 2] },
      { shape: [-32, 2] },
    ])
      await expect(write(wrong)).rejects.toMatchObject({ code: "input/invalid", tensor: "b" });
  });
});

describe("a split model", () => {
  const stem = "models/big";

  async function parts(): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    await writeSplitGguf(stem, { metadata, tensors, tensorsPerPart: 2 }, async (name) => {
      const pieces: Uint8Array[] = [];
      return {
        write: (piece) => void pieces.push(piece.slice()),
        close: async () =>
          void files.set(name, new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer())),
      };
    });
    return files;
  }

  /** Opens by name, and counts what is open. */
  function opener(files: Map<string, Uint8Array<ArrayBuffer>>) {
    const opened = new Set<string>();
    const open = async (name: string): Promise<ByteSource> => {
      const found = files.get(name);
      if (!found) throw new Error(`no ${name}`);
      opened.add(name);
      return { ...bufferSource(found, name), close: async () => void opened.delete(name) };
    };
    return { opened, open };
  }

  const name = (no: number): string => `models/big-0000${no}-of-00002.gguf`;

  it("reads as one file from any of its parts, or from all in any order", async () => {
    const files = await parts();
    expect([...files.keys()]).toEqual([name(1), name(2)]);
    const sources = [...files].map(([path, content]) => bufferSource(content, path));
    const { open } = opener(files);
    const ways = [
      await readGguf(sources[0], { open }),
      await readGguf(sources[1], { open }),
      await readGguf(sources),
      await readGguf([sources[1], sources[0]]),
    ];
    for (const file of ways) {
      expect(file.name).toBe(name(1));
      expect(file.metadata.string("text")).toBe("grüß 😀");
      expect(file.sources.map((source) => source.name)).toEqual([name(1), name(2)]);
      expect([...file.tensors.values()].map(({ part }) => part)).toEqual([0, 0, 1, 1]);
      for (const tensor of tensors) {
        const { part, offset, bytes: length } = file.tensors.get(tensor.name)!;
        expect([...(await file.sources[part].read(offset, length))]).toEqual(whole(tensor));
      }
    }
  });

  it("is refused when parts are missing, doubled or not of one model, and closes what it opened", async () => {
    const files = await parts();
    const [first, second] = [...files].map(([path, content]) => bufferSource(content, path));
    const refused = { code: "gguf/malformed" };
    await expect(readGguf(first)).rejects.toMatchObject(refused);
    await expect(readGguf([first, first])).rejects.toMatchObject(refused);
    await expect(readGguf([first, second, second])).rejects.toMatchObject(refused);
    const renamed = bufferSource(files.get(name(1))!, "renamed.gguf");
    await expect(readGguf(renamed, { open: opener(files).open })).rejects.toMatchObject(refused);

    const other = await ggufBytes({ metadata: [], tensors: [] });
    const mixed = opener(new Map([[name(2), other]]));
    await expect(readGguf(first, { open: mixed.open })).rejects.toMatchObject(refused);
    expect(mixed.opened.size).toBe(0);

    const cut = opener(new Map([[name(2), files.get(name(2))!.slice(0, 50)]]));
    await expect(readGguf(first, { open: cut.open })).rejects.toMatchObject(refused);
    expect(cut.opened.size).toBe(0);
    await expect(readGguf(first, { open: opener(new Map()).open })).rejects.toThrow(
      "no models/big-00002",
    );
  });

  it("checks the announced number of tensors and that names are unique", async () => {
    const part = (no: number, count: number, total: number, tensor: string) =>
      ggufBytes({
        metadata: [
          ["split.no", typed("u16", no)],
          ["split.count", typed("u16", count)],
          ["split.tensors.count", typed("i32", total)],
        ],
        tensors: [{ ...tensors[0], name: tensor }],
      }).then((content) => bufferSource(content, name(no + 1)));
    const refused = { code: "gguf/malformed" };
    const sources = [await part(0, 2, 2, "a"), await part(1, 2, 2, "b")];
    expect((await readGguf(sources)).tensors.size).toBe(2);
    const short = [await part(0, 2, 3, "a"), await part(1, 2, 3, "b")];
    await expect(readGguf(short)).rejects.toMatchObject(refused);
    const twice = [await part(0, 2, 2, "a"), await part(1, 2, 2, "a")];
    await expect(readGguf(twice)).rejects.toMatchObject({ ...refused, tensor: "a" });
    await expect(readGguf([])).rejects.toMatchObject({ code: "input/invalid" });
  });

  it("finds the names of the other parts in paths and URLs", () => {
    expect(siblingName("/a-00001-of-00002.gguf/b-00001-of-00003.gguf", 2)).toBe(
      "/a-00001-of-00002.gguf/b-00003-of-00003.gguf",
    );
    expect(siblingName("https://x.y/m-00002-of-00002.gguf?download=true", 0)).toBe(
      "https://x.y/m-00001-of-00002.gguf?download=true",
    );
    expect(siblingName("model.gguf", 1)).toBe(undefined);
  });
});

describe("files past 4 GiB", () => {
  it("are read by their header alone", async () => {
    const rows = 200_000;
    const big = (name: string): WritableTensor => ({
      name,
      type: F32,
      shape: [8192, rows],
      data: new Uint8Array(0),
    });
    const header = ggufHeader({ metadata: [], tensors: [big("a"), big("b"), big("c")] });
    expect(header.size > 19e9).toBe(true);
    const source: ByteSource = {
      ...bufferSource(header.bytes),
      size: header.size,
      read: async (offset, length) => {
        const bytes = new Uint8Array(length);
        bytes.set(header.bytes.subarray(offset, offset + length));
        return bytes;
      },
    };
    const file = await readGguf(source);
    const { offset, bytes: length } = file.tensors.get("c")!;
    expect(offset).toBe(header.bytes.length + 2 * 8192 * rows * 4);
    expect(offset + length).toBe(header.size);
  });
});

describe("aborting", () => {
  it("throws the signal's reason", async () => {
    const source = bufferSource(await ggufBytes({ metadata, tensors }));
    const signal = AbortSignal.abort("stop");
    await expect(readGguf(source, { signal })).rejects.toBe("stop");
  });
});
