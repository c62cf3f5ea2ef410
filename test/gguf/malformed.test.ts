import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { scalars } from "../../src/gguf/values.ts";
import { fixtureJson } from "../fixture.ts";
import {
  allOnes,
  announced,
  keyU32,
  type Put,
  type RawFile,
  raw,
  rawFile,
  refusal,
  tensor,
  text,
  u8,
  u32,
  u64,
} from "./raw.ts";

const [F32, I8, I64, Q4_0] = [0, 24, 27, 2];
/** Magic, version, two counts. */
const headerEnd = 24;
const malformed = "gguf/malformed";
const unsupported = "gguf/unsupported";
const oddAlignment = keyU32("general.alignment", 13);

/** Name, file, code, and the offset where it is decided by the layout alone. */
type Case = [name: string, file: RawFile, code: string, offset?: number];

const refused: Case[] = [
  ["HEADER_BAD_MAGIC", { magic: "FUGG" }, malformed, 0],
  ["HEADER_BAD_VERSION_0", { version: 0 }, malformed, 4],
  ["HEADER_BAD_VERSION_1", { version: 1 }, unsupported, 4],
  ["HEADER_BAD_VERSION_FUTURE", { version: 4 }, unsupported, 4],
  ["a big-endian file", { version: 0x03000000 }, unsupported, 4],
  ["HEADER_BAD_N_TENSORS", { tensorCount: allOnes, data: 64 }, malformed, 8],
  ["HEADER_BAD_N_KV", { pairCount: allOnes, data: 64 }, malformed, 16],
  [
    "KV_BAD_KEY_SIZE",
    { pairs: [[...announced(allOnes), u32(4), u32(1)]], data: 64 },
    malformed,
    headerEnd,
  ],
  ["KV_EMPTY_KEY", { pairs: [keyU32("", 1)], data: 64 }, malformed, headerEnd],
  [
    "KV_BAD_TYPE",
    { pairs: [[text("key"), u32(13), u32(1)]], data: 64 },
    malformed,
    headerEnd + 8 + 3,
  ],
  [
    "KV_BAD_TYPE in an array",
    { pairs: [[text("key"), u32(9), u32(13), u64(1), u32(1)]], data: 64 },
    malformed,
    headerEnd + 8 + 3 + 4,
  ],
  [
    "KV_DUPLICATE_KEY",
    { pairs: [keyU32("key", 1), keyU32("key", 2)], data: 64 },
    malformed,
    headerEnd + 8 + 3 + 8,
  ],
  ["KV_BAD_ALIGN", { pairs: [oddAlignment] }, malformed],
  ["an alignment of 0", { pairs: [keyU32("general.alignment", 0)] }, malformed],
  [
    "KV_WRONG_TYPE_ALIGN",
    { pairs: [[text("general.alignment"), u32(5), u32(32)]] },
    malformed,
    headerEnd + 8 + 17,
  ],
  [
    "TENSORS_BAD_NAME_SIZE",
    { tensors: [tensor("x".repeat(64), [4], F32, 0)], data: 64 },
    malformed,
    headerEnd,
  ],
  [
    "TENSORS_BAD_N_DIMS",
    { tensors: [tensor("a", [1, 1, 1, 1, 1], F32, 0)], data: 64 },
    malformed,
    headerEnd + 9,
  ],
  [
    "TENSORS_BAD_SHAPE",
    { tensors: [tensor("a", [allOnes, allOnes, allOnes, allOnes], F32, 0)], data: 64 },
    malformed,
    headerEnd + 13,
  ],
  [
    "TENSORS_NE_TOO_BIG",
    { tensors: [tensor("a", [4 * (2 ** 31 - 1), 4 * (2 ** 31 - 1)], F32, 0)], data: 64 },
    malformed,
    headerEnd + 13,
  ],
  [
    "TENSORS_NBYTES_TOO_BIG",
    { tensors: [tensor("a", [2 ** 31, 2 ** 30], I64, 0)], data: 64 },
    malformed,
    headerEnd + 13,
  ],
  [
    "bytes past 2^53",
    { tensors: [tensor("a", [2 ** 26, 2 ** 26], I64, 0)], data: 64 },
    malformed,
    headerEnd + 13,
  ],
  [
    "TENSORS_BAD_TYPE",
    { tensors: [tensor("a", [4], 43, 0)], data: 64 },
    unsupported,
    headerEnd + 9 + 4 + 8,
  ],
  [
    "a type that was removed",
    { tensors: [tensor("a", [32], 4, 0)], data: 64 },
    unsupported,
    headerEnd + 9 + 4 + 8,
  ],
  [
    "TENSORS_BAD_OFFSET",
    { tensors: [tensor("a", [4], F32, allOnes)], data: 64 },
    malformed,
    headerEnd + 9 + 4 + 8 + 4,
  ],
  [
    "TENSORS_DUPLICATE_NAME",
    { tensors: [tensor("a", [4], F32, 0), tensor("a", [4], F32, 32)], data: 64 },
    malformed,
    headerEnd + 33,
  ],
  [
    "TENSORS_BAD_ALIGN",
    { pairs: [oddAlignment], tensors: [tensor("a", [4], F32, 0)], data: 64 },
    malformed,
  ],
  [
    "TENSORS_INCONSISTENT_ALIGN",
    { tensors: [tensor("a", [1], F32, 0), tensor("b", [1], F32, 4)], data: 64 },
    malformed,
    headerEnd + 2 * 33 - 8,
  ],
  [
    "DATA_NOT_ENOUGH_DATA",
    { tensors: [tensor("a", [8], F32, 0), tensor("b", [8], F32, 32)], data: 63 },
    malformed,
    headerEnd + 2 * 33 - 8,
  ],
  [
    "DATA_BAD_ALIGN",
    { pairs: [oddAlignment], tensors: [tensor("a", [4], F32, 0)], data: 128 },
    malformed,
  ],
  [
    "DATA_INCONSISTENT_ALIGN",
    { tensors: [tensor("a", [3], F32, 0), tensor("b", [3], F32, 12)], data: 24 },
    malformed,
  ],
  [
    "DATA_MEM_SIZE_OVERFLOW",
    {
      tensors: [
        tensor("a", [0x7fffffffffffffc0n], I8, 0),
        tensor("b", [0x7fffffffffffffc0n], I8, 0x7fffffffffffffc0n),
      ],
      data: 32,
    },
    malformed,
  ],
  ["EXTRA_ARRAY_OF_ARRAYS", { pairs: [nested(2)], data: 64 }, unsupported, headerEnd + 8 + 3 + 4],
  [
    "EXTRA_QUANT_ROW",
    { tensors: [tensor("a", [33, 32], Q4_0, 0)], data: 2048 },
    malformed,
    headerEnd + 13,
  ],
  [
    "EXTRA_STRING_HUGE",
    { pairs: [[text("key"), u32(8), ...announced(2 ** 40, 65)]], data: 64 },
    malformed,
    headerEnd + 8 + 3 + 4,
  ],
  [
    "EXTRA_ARRAY_HUGE",
    { pairs: [[text("key"), u32(9), u32(4), u64(2n ** 62n)]], data: 64 },
    malformed,
    headerEnd + 8 + 3 + 4 + 4,
  ],
  [
    "an array of strings that cannot fit",
    { pairs: [[text("key"), u32(9), u32(8), u64(100)]], data: 64 },
    malformed,
    headerEnd + 8 + 3 + 4 + 4,
  ],
  [
    "EXTRA_BOOL_2",
    { pairs: [[text("key"), u32(7), u8(2)]], data: 64 },
    malformed,
    headerEnd + 8 + 3 + 4,
  ],
  [
    "EXTRA_BOOL_2 in an array",
    { pairs: [[text("key"), u32(9), u32(7), u64(2), u8(1), u8(2)]], data: 64 },
    malformed,
    headerEnd + 8 + 3 + 4 + 12 + 1,
  ],
  [
    "EXTRA_OVERLAP",
    { tensors: [tensor("a", [8], F32, 0), tensor("b", [8], F32, 0)], data: 64 },
    malformed,
    headerEnd + 2 * 33 - 8,
  ],
  [
    "a tensor that begins within another",
    { tensors: [tensor("b", [8], F32, 32), tensor("a", [16], F32, 0)], data: 96 },
    malformed,
  ],
  [
    "a tensor name that is not UTF-8",
    { tensors: [[...announced(2, 0xed, 0xa0), u32(1), u64(4), u32(F32), u64(0)]], data: 64 },
    malformed,
    headerEnd,
  ],
  [
    "a key longer than 65,535 bytes",
    { pairs: [keyU32("k".repeat(65_536), 1)], data: 64 },
    malformed,
    headerEnd,
  ],
  [
    "an empty tensor with an absurd dimension",
    { tensors: [tensor("a", [0, 2 ** 40, 2 ** 40], F32, 0)], data: 64 },
    malformed,
    headerEnd + 13,
  ],
];

/** An array of arrays, `depth` deep. */
function nested(depth: number): Put[] {
  const levels = Array.from({ length: depth }, () => [u32(9), u64(1)]).flat();
  return [text("key"), u32(9), ...levels, u32(4), u64(1), u32(7)];
}

describe("malformed files", () => {
  it.each(refused)("%s", async (_, file, code, offset) => {
    const error = await refusal(rawFile(file));
    expect(error.code).toBe(code);
    expect(error.file).toBe("test.gguf");
    expect(error.message.includes("\n")).toBe(false);
    expect(Number.isSafeInteger(error.offset)).toBe(true);
    if (offset !== undefined) expect(error.offset).toBe(offset);
  });

  it("names the key or the tensor", async () => {
    const key = await refusal(rawFile({ pairs: [[text("a.key"), u32(7), u8(9)]] }));
    expect(key.message).toContain('"a.key"');
    const type = await refusal(rawFile({ tensors: [tensor("a.weight", [4], 43, 0)] }));
    expect(type).toMatchObject({ tensor: "a.weight", actual: 43 });
    const row = await refusal(rawFile({ tensors: [tensor("b.weight", [33], Q4_0, 0)] }));
    expect(row).toMatchObject({ tensor: "b.weight", expected: 32, actual: 33 });
  });

  it("refuses deep nesting without recursion", async () => {
    const error = await refusal(rawFile({ pairs: [nested(5000)] }));
    expect(error.code).toBe(unsupported);
  });
});

describe("the list of llama.cpp's cases", () => {
  it("is covered by name", async () => {
    const list = await fixtureJson<{ cases: { name: string }[]; extra: { name: string }[] }>(
      "reference/malformed/malformed.json",
    );
    const here = new Set([...refused, ...accepted].map(([name]) => name));
    here.add("EXTRA_TRUNCATED");
    expect([...list.cases, ...list.extra].filter(({ name }) => !here.has(name))).toEqual([]);
  });
});

/** A header with everything in it. */
const everything: RawFile = {
  pairs: [
    ...scalars.map((type): Put[] => [
      text(`scalar.${type.name}`),
      u32(type.id),
      raw(1, ...new Array<number>(type.bytes - 1).fill(0)),
    ]),
    ...scalars.map((type): Put[] => [
      text(`array.${type.name}`),
      u32(9),
      u32(type.id),
      u64(3),
      raw(...new Array<number>(type.bytes * 3).fill(1)),
    ]),
    [text("string"), u32(8), text("grüß 😀")],
    [text("array.string"), u32(9), u32(8), u64(3), text("a"), text(""), text("\ufeffc")],
    [text("array.empty"), u32(9), u32(6), u64(0)],
  ],
  tensors: [
    tensor("a", [8, 2], F32, 0),
    tensor("b", [32, 2, 3], Q4_0, 64),
    tensor("c", [4, 0], F32, 192),
    tensor("d", [5], I8, 192),
  ],
  data: 224,
};

describe("EXTRA_TRUNCATED", () => {
  it("is refused at every byte of a header", async () => {
    const { data: _, ...headerOnly } = everything;
    const header = rawFile(headerOnly);
    for (let length = 0; length < header.length; length++) {
      const error = await refusal(header.slice(0, length), { headerOnly: true });
      expect(error.code).toBe(malformed);
      expect(error.offset! <= length).toBe(true);
    }
    const file = await readGguf(bufferSource(header), { headerOnly: true });
    expect(file.tensors.size).toBe(4);
  });

  it("is refused at every byte of the data too, but for the last padding", async () => {
    const whole = rawFile(everything);
    const needed = whole.length - 27;
    const { data: _, ...headerOnly } = everything;
    for (let length = rawFile(headerOnly).length; length < needed; length++)
      expect((await refusal(whole.slice(0, length))).code).toBe(malformed);
    await readGguf(bufferSource(whole.slice(0, needed)));
  });
});

/** Nothing between the tensors. */
const packed: RawFile = {
  pairs: [keyU32("general.alignment", 1)],
  tensors: [tensor("a", [3], F32, 0), tensor("b", [1], I8, 12), tensor("c", [2], F32, 13)],
  data: 21,
  alignment: 1,
};

/** Files that must be read. */
const accepted: [name: string, file: RawFile, headerOnly?: boolean][] = [
  ["HEADER_EMPTY", { data: 0 }],
  ["KV_SUCCESS", { pairs: everything.pairs, data: 0 }],
  ["TENSORS_ZERO_DIM", { tensors: [tensor("a", [4, 0], F32, 0)], data: 0 }],
  ["TENSORS_CUSTOM_ALIGN", { ...packed, data: undefined }, true],
  ["DATA_CUSTOM_ALIGN", packed],
  ["TENSORS_SUCCESS", { ...everything, data: undefined }, true],
  ["DATA_SUCCESS", everything],
  ["EXTRA_LAST_TENSOR_PADDING", { tensors: [tensor("a", [3], F32, 0)], data: 12 }],
  [
    "tensors out of order and with gaps",
    { tensors: [tensor("a", [4], F32, 96), tensor("b", [4], F32, 0)], data: 128 },
  ],
  ["a scalar tensor", { tensors: [tensor("a", [], F32, 0)], data: 4 }],
  ["version 2", { ...everything, version: 2 }],
  [
    "a value that is not UTF-8",
    { pairs: [[text("key"), u32(8), ...announced(2, 0xc3, 0x28)]], data: 0 },
  ],
  ["a key that is not UTF-8", { pairs: [[...announced(1, 0xff), u32(4), u32(1)]], data: 0 }],
  [
    "texts of an array that are not UTF-8",
    { pairs: [[text("key"), u32(9), u32(8), u64(1), ...announced(1, 0xe9)]], data: 0 },
  ],
];

describe("unusual files that are well formed", () => {
  it.each(accepted)("%s", async (_, file, headerOnly) => {
    const read = await readGguf(bufferSource(rawFile(file)), { headerOnly });
    expect(read.tensors.size).toBe(file.tensors?.length ?? 0);
    expect(read.metadata.size).toBe(file.pairs?.length ?? 0);
  });

  it("need their data, unless only the header is wanted", async () => {
    expect((await refusal(rawFile({ ...everything, data: undefined }))).code).toBe(malformed);
  });

  it("keeps keys that mean something to JavaScript as plain keys", async () => {
    const names = ["__proto__", "constructor", "toString"];
    const file = rawFile({
      pairs: names.map((name, i) => keyU32(name, i)),
      tensors: names.map((name, i) => tensor(name, [4], F32, 32 * i)),
      data: 96,
    });
    const { metadata, tensors } = await readGguf(bufferSource(file));
    names.forEach((name, i) => {
      expect(metadata.integer(name)).toBe(i);
      expect(tensors.get(name)?.elements).toBe(4);
    });
    expect(metadata.has("hasOwnProperty")).toBe(false);
    expect(({} as Record<string, unknown>)["0"]).toBe(undefined);
  });
});

describe("a version that cannot be read", () => {
  it.each([
    ["big-endian, version 3", 0x03000000, "convert it to little-endian"],
    ["big-endian, version 2", 0x02000000, "convert it to little-endian"],
    ["a version to come", 4, "it is of GGUF version 4; versions 2 and 3 can be read"],
    ["a version past 2^16", 0x10003, "it is of GGUF version 65539"],
  ])("is named: %s", async (_, version, hint) => {
    expect((await refusal(rawFile({ version }))).message).toContain(hint);
  });
});
