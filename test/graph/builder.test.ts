/** What the builder refuses: an op that does not fit its values or tensors, by layer and tensor. */
import { describe, expect, it } from "vitest";
import { quantByName } from "../../src/file/quants.ts";
import { type GraphBuilder, graphBuilder } from "../../src/graph/builder.ts";
import type { Ref } from "../../src/graph/ops.ts";
import { fileOf } from "../conformance/quants.ts";

const shapes: Readonly<Record<string, readonly number[]>> = {
  "token_embd.weight": [8, 20],
  "blk.0.norm.weight": [8],
  "blk.0.odd.weight": [5],
  "blk.0.wide.weight": [8, 12],
  "blk.0.narrow.weight": [6, 8],
  "blk.0.biased.weight": [8, 4],
  "blk.0.biased.bias": [3],
  "blk.0.heads.weight": [4, 6, 2],
  "blk.0.router.weight": [8, 4],
  "blk.0.experts.weight": [8, 6, 4],
  "blk.0.three.weight": [8, 6, 3],
  "blk.0.conv.weight": [4, 8],
};

/** An embedding, and names that mean the tensors of layer 0; `leave` ends that. */
function start(): { m: GraphBuilder; x: Ref; leave: () => void } {
  const type = quantByName("F32");
  if (!type) throw new Error("no F32");
  const made = Object.entries(shapes).map(([name, shape]) => {
    const bytes = new Uint8Array(4 * shape.reduce((product, length) => product * length, 1));
    return { name, type, shape, bytes };
  });
  const facts = {
    architecture: "test",
    layers: 1,
    trainedContext: 64,
    rmsEps: 1e-6,
    normEps: 1e-5,
  };
  const m = graphBuilder(fileOf(made), facts);
  const x = m.embed("token_embd");
  const layers = m.layers(1);
  layers.next();
  return { m, x, leave: () => layers.next() };
}

const route = {
  used: 2,
  groups: 1,
  groupsUsed: 1,
  gate: "softmax",
  normalize: true,
  scale: 1,
} as const;

describe("the graph builder", () => {
  it("gives each value its width", () => {
    const { m, x } = start();
    const widths = (...refs: Ref[]): number[] => refs.map((ref) => m.width(ref));
    const wide = m.linear(x, "wide");
    expect(widths(x, m.rmsNorm(x, "norm"), wide)).toEqual([8, 8, 12]);
    expect(widths(m.linear(x, "wide", { first: 4, out: 8 }))).toEqual([8]);
    expect(widths(m.headLinear(x, "heads"), m.slice(wide, 1, 2, 3))).toEqual([12, 6]);
    expect(widths(m.concat([x, wide], 4), m.dot(x, x, 2))).toEqual([20, 4]);
    const chosen = m.moeRoute(m.linear(x, "router"), route);
    const experts = m.moeLinear(x, chosen, "experts", false);
    expect(widths(chosen, experts, m.moeSum(experts, chosen))).toEqual([4, 12, 6]);
  });

  it.each<[string, (m: GraphBuilder, x: Ref) => unknown, string?]>([
    ["a tensor that is missing", (m, x) => m.linear(x, "absent"), "blk.0.absent.weight"],
    ["a matrix of another width", (m, x) => m.linear(x, "narrow"), "blk.0.narrow.weight"],
    [
      "rows behind the end of a matrix",
      (m, x) => m.linear(x, "wide", { first: 5, out: 8 }),
      "blk.0.wide.weight",
    ],
    ["a bias of another length", (m, x) => m.linear(x, "biased"), "blk.0.biased.bias"],
    ["a norm of another width", (m, x) => m.rmsNorm(x, "odd"), "blk.0.odd.weight"],
    ["a weight that does not repeat evenly", (m, x) => m.mulWeight(x, "odd"), "blk.0.odd.weight"],
    ["heads of another width", (m, x) => m.headLinear(m.linear(x, "wide"), "heads")],
    ["a sum of different widths", (m, x) => m.add(x, m.linear(x, "wide"))],
    ["a product whose widths do not divide", (m, x) => m.mul(m.linear(x, "wide"), x)],
    ["a gate of another width", (m, x) => m.gated(x, m.linear(x, "wide"), "silu")],
    ["a slice behind the end of its runs", (m, x) => m.slice(x, 3, 2, 2)],
    ["all rows beside selected ones", (m, x) => m.add(x, m.select(x))],
    [
      "more experts than there are logits for",
      (m, x) => m.moeRoute(m.linear(x, "router"), { ...route, used: 5 }),
    ],
    [
      "a stack of another number of experts",
      (m, x) => m.moeLinear(x, m.moeRoute(m.linear(x, "router"), route), "three", false),
      "blk.0.three.weight",
    ],
    [
      "a filter of another width",
      (m, x) => m.conv(m.linear(x, "wide"), "conv"),
      "blk.0.conv.weight",
    ],
    ["attention without a slot", (m, x) => m.attention(x, x, x, { heads: 1, slot: 3, scale: 1 })],
  ])("refuses %s", (_, build, tensor) => {
    const { m, x } = start();
    const refused = {
      code: "model/invalid",
      message: expect.stringContaining("layer 0 of the test"),
    };
    expect(() => build(m, x)).toThrow(
      expect.objectContaining(tensor ? { ...refused, tensor } : refused),
    );
  });

  it("lets a layer's state slot grow with each part", () => {
    const { m, x, leave } = start();
    m.shift(x);
    const y = m.conv(x, "conv");
    leave();
    const graph = m.build(y, { outputKind: "embeddings" });
    expect(graph.slots).toEqual([{ kind: "state", layer: 0, size: 8 + 3 * 8 }]);
    const parts = graph.ops.flatMap((op) => ("slotOffset" in op ? [op.slotOffset] : []));
    expect(parts).toEqual([0, 8]);
  });
});
