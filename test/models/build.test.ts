import { describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import type { MetadataValue } from "../../src/file/metadata.ts";
import type { ModelFile } from "../../src/file/types.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { inputsOf, tensorsOf } from "../../src/graph/ops.ts";
import { architectures, buildGraph } from "../../src/models/index.ts";
import { altered, archFile } from "./altered.ts";

const build = (file: ModelFile, contextLength = 256): Graph => buildGraph(file, { contextLength });

function refusal(file: ModelFile): WebggufError {
  try {
    build(file);
  } catch (error) {
    if (error instanceof WebggufError) return error;
    throw error;
  }
  throw new Error("the file was accepted");
}

const llama = await archFile("llama");
const names = [
  "llama",
  "qwen3",
  "gemma3",
  "qwen3moe",
  "gpt-oss",
  "lfm2",
  "mamba2",
  "qwen35",
  "bert",
];

describe("a graph", () => {
  it.each(names)("of %s is plain data whose ops read earlier values only", async (name) => {
    const file = await archFile(name);
    const graph = build(file);
    expect(structuredClone(graph)).toEqual(graph);
    graph.ops.forEach((op, i) => {
      expect(inputsOf(op).every((ref) => ref >= 0 && ref < i)).toBe(true);
      expect(tensorsOf(op).every((tensor) => file.tensors.has(tensor))).toBe(true);
      expect(graph.widths[i]).toBeGreaterThan(0);
    });
    expect(graph.ops[graph.output]).toBe(graph.ops.at(-1));
    expect(graph.selected[graph.output]).toBe(true);
  });

  it("groups the weights that read the same rows", () => {
    const { groups } = build(llama);
    expect(groups[0]).toEqual(["q", "k", "v"].map((part) => `blk.0.attn_${part}.weight`));
    expect(groups[1]).toEqual(["blk.0.ffn_gate.weight", "blk.0.ffn_up.weight"]);
  });

  it("takes LongRoPE's long factors for contexts beyond the original one", async () => {
    const file = altered(await archFile("phi3"), {
      "phi3.rope.scaling.original_context_length": 64,
    });
    const factors = (contextLength: number): (string | undefined)[] =>
      build(file, contextLength).ops.map((op) => (op.op === "rope" ? op.table.factors : undefined));
    expect(factors(64)).toContain("rope_factors_short.weight");
    expect(factors(65)).toContain("rope_factors_long.weight");
  });

  it("keeps the window of sliding layers with their slots", async () => {
    const windows = build(await archFile("gemma3")).slots.map((slot) =>
      slot.kind === "kv" ? slot.window : -1,
    );
    expect(windows).toEqual([12, 0, 12]);
  });
});

describe("refused models", () => {
  it("name what is near when the architecture is not known, and never fill the screen", () => {
    const unknown = (name: string): WebggufError => {
      const error = refusal(altered(llama, { "general.architecture": name }));
      expect(error).toMatchObject({ code: "model/unsupported", key: "general.architecture" });
      expect(error.message.length).toBeLessThan(250);
      expect(error.message).not.toMatch(/\p{Cc}/u);
      return error;
    };
    // Any name with one letter more is near to the name itself.
    for (const name of architectures()) {
      const known = architectures().includes(`${name}0`);
      if (name.length > 2 && !known) expect(unknown(`${name}0`).message).toContain(name);
    }
    expect(unknown("wordle").expected).toEqual([]);
    expect(unknown("x".repeat(4 << 20)).message).toContain("x…");
    expect(unknown("\u001b[2J\u001b]0;owned\u0007\nsecond line").expected).toEqual([]);
  });

  it.each([
    ["clip", "projector"],
    ["t5", "encoder-decoder"],
    ["t5encoder", "encoder-decoder"],
    ["flux", "images"],
    ["sd3", "images"],
  ])("say what %s is", (name, kind) => {
    expect(refusal(altered(llama, { "general.architecture": name })).message).toContain(kind);
  });

  const cases: [string, Record<string, MetadataValue | undefined>, string][] = [
    ["a missing width", { "llama.embedding_length": undefined }, "llama.embedding_length"],
    ["no layers", { "llama.block_count": 0 }, "llama.block_count"],
    ["too many layers", { "llama.block_count": 2 ** 31 - 1 }, "llama.block_count"],
    ["text for a number", { "llama.block_count": "two" }, "llama.block_count"],
    ["missing heads", { "llama.attention.head_count": undefined }, "llama.attention.head_count"],
    ["uneven heads", { "llama.attention.head_count_kv": 3 }, "llama.attention.head_count_kv"],
    ["another width", { "llama.embedding_length": 48 }, "llama.embedding_length"],
    ["an odd rotation", { "llama.rope.dimension_count": 15 }, "llama.rope.dimension_count"],
    ["a base of 1", { "llama.rope.freq_base": 1 }, "llama.rope.freq_base"],
    [
      "an infinite base",
      { "llama.rope.freq_base": Number.POSITIVE_INFINITY },
      "llama.rope.freq_base",
    ],
  ];
  it.each(cases)("%s names its key", (_, change, key) => {
    const error = refusal(altered(llama, change));
    expect(error.code).toBe("model/invalid");
    expect(error.key).toBe(key);
    expect(error.message).toContain(key);
    expect(error.message).not.toContain("\n");
  });

  it("name layer and tensor when a tensor is missing", () => {
    const error = refusal(altered(llama, {}, { "blk.1.attn_v.weight": undefined }));
    expect(error).toMatchObject({ code: "model/invalid", tensor: "blk.1.attn_v.weight" });
    expect(error.message).toContain("layer 1");
  });

  it("name the tensor when its shape does not fit", () => {
    const change = { "blk.0.ffn_down.weight": { shape: [60, 64], elements: 3840 } };
    expect(refusal(altered(llama, {}, change)).tensor).toBe("blk.0.ffn_down.weight");
  });

  it("name the heads when they do not fit the projections", () => {
    const change = { "llama.attention.head_count": 8, "llama.attention.key_length": 16 };
    expect(refusal(altered(llama, change)).message).toContain('"llama.attention.head_count" is 8');
  });
});

describe("mutated metadata", () => {
  const odd: MetadataValue[] = [
    0,
    1,
    3,
    7,
    65535,
    2 ** 31 - 1,
    -1,
    0.5,
    Number.NaN,
    "x",
    true,
    [],
    2n ** 63n,
  ];

  it.each(names)("of %s builds or is refused with a typed error", async (name) => {
    const file = await archFile(name);
    for (const key of file.metadata) {
      if (!key[0].startsWith(`${name}.`)) continue;
      for (const value of [...odd, undefined, new Uint32Array(3), new Float32Array([1, 2])]) {
        try {
          const graph = build(altered(file, { [key[0]]: value }));
          expect(graph.ops.length).toBeLessThan(1000);
        } catch (error) {
          if (!(error instanceof WebggufError)) throw new Error(`${key[0]} = ${value}: ${error}`);
        }
      }
    }
  });
});

describe("experts in tensors of their own", () => {
  it("are refused with what to do", async () => {
    const file = await archFile("qwen3moe");
    const tensors = new Map(file.tensors);
    const stack = tensors.get("blk.0.ffn_up_exps.weight")!;
    tensors.set("blk.0.ffn_up.0.weight", { ...stack, name: "blk.0.ffn_up.0.weight" });
    expect(() => build({ ...file, tensors })).toThrow("convert the model to GGUF again");
  });
});
