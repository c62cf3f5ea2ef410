/**
 * What published models vary and the tiny reference models do not: properties over all families, made
 * by changing their headers, and the families with variants of their own.
 */
import { describe, expect, it } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import type { OpOf } from "../../src/graph/ops.ts";
import { tensorsOf } from "../../src/graph/ops.ts";
import { architectures, buildGraph } from "../../src/models/index.ts";
import { familyFile, headers } from "./headers.ts";

type Changes = Parameters<typeof familyFile>[1];
type Tensors = NonNullable<Parameters<typeof familyFile>[3]>;

const build = (architecture: string, changes: Changes = {}, tensors: Tensors = {}): Graph =>
  buildGraph(familyFile(architecture, changes, undefined, tensors), { contextLength: 256 });

const opsOf = <K extends Graph["ops"][number]["op"]>({ ops }: Graph, kind: K): OpOf<K>[] =>
  ops.filter((op): op is OpOf<K> => op.op === kind);

const readBy = (graph: Graph): Set<string> => new Set(graph.ops.flatMap(tensorsOf));

/** Names of the layers' tensors that no op reads. */
const unread = (architecture: string, changes: Changes, tensors: Tensors): string[] => {
  const file = familyFile(architecture, changes, undefined, tensors);
  const read = readBy(buildGraph(file, { contextLength: 256 }));
  return [...file.tensors.keys()].filter((name) => !read.has(name));
};

const all = architectures();
const tensorsIn = (architecture: string): [string, string][] =>
  Object.entries(headers[architecture].tensors);
const has = (architecture: string, part: string): boolean =>
  tensorsIn(architecture).some(([key]) => key.startsWith(part));
const sizes = (shape: string): number[] => shape.split("x").map(Number);
/** "blk.attn_q.weight@0-2" with another stem: "blk.attn_qkv.weight@0-2". */
const renamed = (key: string, stem: string): string => key.replace(/^blk\.[^.@]+/, `blk.${stem}`);

/** Models that end in embeddings: what they would need for logits is not theirs. */
const embedding = all.filter((one) => build(one).outputKind === "embeddings");

describe("the output matrix", () => {
  it.each(all.filter((one) => !embedding.includes(one)))(
    "of %s is its own, or the token table",
    (architecture) => {
      const { "token_embd.weight": table } = headers[architecture].tensors;
      const last = (tensors: Tensors): string | undefined =>
        opsOf(build(architecture, {}, tensors), "linear").at(-1)?.weight;
      expect(last({ "output.weight": table })).toBe("output.weight");
      expect(last({ "output.weight": undefined })).toBe("token_embd.weight");
    },
  );
});

describe("biases and scales beside a layer's matrices", () => {
  it.each(all)("of %s are read", (architecture) => {
    const matrices = tensorsIn(architecture).filter(([key]) =>
      /^blk\.(attn_(q|k|v|qkv|output)|ffn_(gate|up|down)(_shexp|_exps)?)\.weight/.test(key),
    );
    const beside: Record<string, string> = {};
    for (const [key, shape] of matrices) {
      const [, height, experts] = sizes(shape);
      const at = (suffix: string): string => key.replace(".weight", `.${suffix}`);
      beside[at("bias")] = experts === undefined ? `${height}` : `${height}x${experts}`;
      beside[at("scale")] = `${experts ?? 1}`;
    }
    const before = new Set(unread(architecture, {}, {}));
    const ignored = unread(architecture, {}, beside).filter((name) => !before.has(name));
    // A layer that shares a cache has no use for its keys and values.
    expect(ignored.filter((name) => !/^blk\.20\.attn_[kv]\./.test(name))).toEqual([]);
  });
});

describe("queries, keys and values in one matrix, or in three", () => {
  /** Whose attention is made of other parts: latent, with shared caches, with gated heads. */
  const fixed = /^(deepseek2|gemma3n|gemma4|kimi-linear|mistral4|plm|qwen35|qwen35moe|qwen3next)$/;
  const names = ["attn_q", "attn_k", "attn_v"];
  /** The shape with another last dimension. */
  const tall = (shape: string, rows: number): string =>
    [...sizes(shape).slice(0, -1), rows].join("x");
  const either = all.filter((one) => has(one, "blk.attn_q.") || has(one, "blk.attn_qkv."));

  it.each(either.filter((one) => !fixed.test(one)))("of %s", (architecture) => {
    const { embedding_length: width, ...hyper } = headers[architecture].metadata;
    const heads = Number(hyper["attention.head_count"]);
    const kv = Number(hyper["attention.head_count_kv"] ?? heads);
    const head = Number(hyper["attention.key_length"] ?? Number(width) / heads);
    const other: Record<string, string | undefined> = {};
    for (const [key, shape] of tensorsIn(architecture)) {
      const rows = sizes(shape).at(-1)!;
      if (key.startsWith("blk.attn_qkv.")) {
        other[key] = undefined;
        for (const stem of names)
          other[renamed(key, stem)] = tall(shape, (stem === "attn_q" ? heads : kv) * head);
      } else if (/^blk\.attn_[qkv]\./.test(key)) {
        other[key] = undefined;
        const joined = renamed(key, "attn_qkv");
        const before = other[joined] === undefined ? 0 : sizes(other[joined]).at(-1)!;
        other[joined] = tall(shape, before + rows);
      }
    }
    const before = new Set(unread(architecture, {}, {}));
    expect(unread(architecture, {}, other).filter((name) => !before.has(name))).toEqual([]);
    expect(readBy(build(architecture, {}, other))).not.toEqual(readBy(build(architecture)));
  });
});

describe("layers that predict further tokens, after the model's own", () => {
  it.each(all)("of %s are passed over", (architecture) => {
    const { metadata } = headers[architecture];
    const blocks = Number(metadata.block_count);
    const changes: Record<string, number | number[]> = {
      block_count: blocks + 1,
      nextn_predict_layers: 1,
    };
    // What files say layer by layer, they say of these layers too.
    for (const [key, value] of Object.entries(metadata))
      if (Array.isArray(value) && value.length === blocks && /attention|forward/.test(key))
        changes[key] = [...value.map(Number), 1];
    const tensors = { [`blk.nextn.eh_proj.weight@${blocks}`]: "128x64" };
    expect(build(architecture, changes, tensors)).toEqual(build(architecture));
  });
});

describe("the pattern of sliding layers", () => {
  const key = "attention.sliding_window_pattern";
  const settings = { "attention.sliding_window": 12 };
  const sliding = all.filter((one) => {
    const looked = new Set<string>();
    buildGraph(
      familyFile(one, settings, (read) => looked.add(read)),
      { contextLength: 256 },
    );
    return looked.has(`${one}.${key}`) && !has(one, "blk.attn_q.weight@");
  });
  /** Whose full layer comes first. */
  const fullFirst = ["modern-bert", "smallthinker"];

  it("is looked up by as many families as have one", () =>
    expect(sliding.length).toBeGreaterThan(15));
  it.each(sliding)("of %s is a period, or an array", (architecture) => {
    const { block_count: blocks } = headers[architecture].metadata;
    const period = 2;
    const array = Array.from({ length: Number(blocks) }, (_, layer) =>
      Number((layer % period === 0) !== fullFirst.includes(architecture)),
    );
    const graph = build(architecture, { ...settings, [key]: array });
    expect(graph).toEqual(build(architecture, { ...settings, [key]: period }));
  });
});

describe("experts", () => {
  const sparse = all.filter((one) => has(one, "blk.ffn_gate_inp."));

  it.each(sparse)(
    "of %s: as many are used as the layer says, of the groups that the file says",
    (architecture) => {
      const blocks = Number(headers[architecture].metadata.block_count);
      const used = Array.from({ length: blocks }, (_, layer) => 1 + (layer % 2));
      const changes = {
        expert_used_count: used,
        expert_group_count: 2,
        expert_group_used_count: 1,
      };
      const routes = opsOf(build(architecture, changes), "moeRoute");
      expect(routes.length).toBeGreaterThan(0);
      for (const route of routes)
        expect([route.used, route.groups, route.groupsUsed]).toEqual([used[route.layer], 2, 1]);
    },
  );

  it.each(sparse.filter((one) => has(one, "blk.ffn_gate_exps.")))(
    "of %s: gates and values may be one stack",
    (architecture) => {
      const other: Record<string, string | undefined> = {};
      for (const [key, shape] of tensorsIn(architecture)) {
        if (!/^blk\.ffn_(gate|up)_exps\./.test(key)) continue;
        other[key] = undefined;
        const dimensions = sizes(shape);
        dimensions[dimensions.length - 2] *= 2;
        other[renamed(key, "ffn_gate_up_exps")] = dimensions.join("x");
      }
      const before = new Set(unread(architecture, {}, {}));
      expect(unread(architecture, {}, other).filter((name) => !before.has(name))).toEqual([]);
    },
  );

  /** Families of which some layers are dense: the first ones, or all but every nth. */
  const mixed = sparse.filter(
    (one) => !/^(dbrx|gpt-oss|grok|minimax-m2|nemotron_h_moe|olmoe|smallthinker)$/.test(one),
  );
  it.each(mixed)(
    "of %s stand where a layer has a router, a dense network elsewhere",
    (architecture) => {
      const blocks = Number(headers[architecture].metadata.block_count);
      const dense = blocks - 1;
      const other: Record<string, string | undefined> = {};
      const width = Number(headers[architecture].metadata.embedding_length);
      const routed: Record<string, string> = {};
      for (const [key, shape] of tensorsIn(architecture)) {
        if (!/^blk\.(ffn_(gate|up|down)|ffn_.*_(exps|shexp)|ffn_gate_inp|exp_probs_b)\./.test(key))
          continue;
        other[key] = undefined;
        if (/exps|shexp|inp|probs/.test(key)) routed[key.split("@")[0]] = shape;
      }
      for (let layer = 0; layer < dense; layer++)
        for (const [key, shape] of Object.entries(routed)) other[`${key}@${layer}`] = shape;
      const gated = architecture !== "nomic-bert-moe";
      for (const stem of gated ? ["ffn_gate", "ffn_up"] : ["ffn_up"])
        other[`blk.${stem}.weight@${dense}`] = `${width}x40`;
      other[`blk.ffn_down.weight@${dense}`] = `40x${width}`;
      const graph = build(architecture, {}, other);
      const layersOf = (kind: "moeRoute" | "gated"): Set<number> =>
        new Set(opsOf(graph, kind).map(({ layer }) => layer));
      expect(layersOf("moeRoute").has(dense)).toBe(false);
      expect(layersOf("moeRoute").has(0)).toBe(dense > 0);
      expect(readBy(graph)).toContain(`blk.${dense}.ffn_down.weight`);
    },
  );
});

describe("attention that is not causal", () => {
  const changes = { "attention.causal": false };

  it.each(["llama", "qwen2", "qwen3", "gemma3", "deepseek2"])(
    "of %s is said by the file",
    (name) => {
      const graph = build(name, changes);
      expect(graph.causal).toBe(false);
      expect(opsOf(graph, "attention").every(({ causal }) => !causal)).toBe(true);
      expect(build(name).causal).toBe(true);
    },
  );

  it.each(["lfm2", "granitehybrid", "qwen3next", "falcon-h1"])("of %s is refused", (name) => {
    expect(() => build(name, changes)).toThrow("not causal");
  });
});

describe("matrices after the pooling", () => {
  it.each(["lfm2", "gemma-embedding"])("of %s are applied to the rows", (architecture) => {
    const tensors = { "dense_2.weight": "64x80", "dense_3.weight": "80x48" };
    const graph = build(architecture, { pooling_type: 1 }, tensors);
    expect(readBy(graph)).toContain("dense_3.weight");
    expect(graph.widths[graph.output]).toBe(48);
  });
});
