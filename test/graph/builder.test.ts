/** The builder refuses what does not fit, and records the rest as it was said. */
import { describe, expect, it } from "vitest";
import { type GraphBuilder, graphBuilder } from "../../src/graph/builder.ts";
import type { Ref } from "../../src/graph/ops.ts";
import { familyFile } from "../models/headers.ts";

const facts = {
  architecture: "llama",
  layers: 2,
  trainedContext: 256,
  rmsEps: 1e-6,
  normEps: 1e-5,
};
const table = { rotated: 16, base: 1e4, freqScale: 1, extFactor: 0, attnFactor: 1 };
const ropeTable = { ...table, betaFast: 32, betaSlow: 1, originalContext: 256 };
const route = {
  used: 2,
  gate: "softmax",
  groups: 1,
  groupsUsed: 1,
  normalize: true,
  scale: 1,
} as const;

const start = (): GraphBuilder => graphBuilder(familyFile("llama"), facts);

/** Runs a step of layer 1 on the embeddings, which are 64 wide. */
function inLayer<T>(act: (m: GraphBuilder, x: Ref) => T): T {
  const m = start();
  const x = m.embed("token_embd");
  for (const layer of m.layers(2)) if (layer === 1) return act(m, x);
  throw new Error("no layer");
}

describe("what does not fit is refused with its layer", () => {
  const wrong: [string, (m: GraphBuilder, x: Ref) => unknown][] = [
    ["a matrix of another width", (m, x) => m.linear(m.slice(x, 0, 32), "attn_q")],
    ["rows past the end", (m, x) => m.linear(x, "attn_q", { first: 1, out: 64 })],
    ["no rows", (m, x) => m.linear(x, "attn_q", { first: 0, out: 0 })],
    ["a tensor that is missing", (m, x) => m.linear(x, "attn_z")],
    ["a norm of another width", (m, x) => m.rmsNorm(m.slice(x, 0, 32), "attn_norm")],
    ["a norm over uneven runs", (m, x) => m.layerNorm(x, undefined, 60)],
    ["a sum of two widths", (m, x) => m.add(x, m.slice(x, 0, 32))],
    ["a product of uneven widths", (m, x) => m.mul(x, m.slice(x, 0, 48))],
    ["a dot product of two widths", (m, x) => m.dot(x, m.slice(x, 0, 32))],
    ["a gate of another width", (m, x) => m.gated(m.slice(x, 0, 32), x, "silu")],
    ["a slice past the end", (m, x) => m.slice(x, 1, 64)],
    ["a slice past the end of a run", (m, x) => m.slice(x, 16, 17, 2)],
    ["a head that is too narrow to rotate", (m, x) => m.rope(x, 8, "norm", ropeTable)],
    ["a rotation past the head's end", (m, x) => m.rope(x, 16, "norm", ropeTable, 1)],
    ["queries of another width", (m, x) => attend(m, m.slice(x, 0, 32), x, x)],
    ["keys of another width", (m, x) => attend(m, x, m.slice(x, 0, 32), x)],
    ["values of another width", (m, x) => attend(m, x, x, m.slice(x, 0, 32))],
    [
      "heads that do not share evenly",
      (m, x) => attend(m, m.concat([x, m.slice(x, 0, 32)]), x, x, 6),
    ],
    ["a slot that is none", (m, x) => m.attention(x, x, x, { heads: 4, slot: 9, scale: 1 })],
    ["more experts than there are", (m, x) => m.moeRoute(m.slice(x, 0, 4), { ...route, used: 5 })],
    ["uneven groups", (m, x) => m.moeRoute(m.slice(x, 0, 4), { ...route, groups: 3 })],
    [
      "more groups than there are",
      (m, x) => m.moeRoute(m.slice(x, 0, 4), { ...route, groupsUsed: 2 }),
    ],
    ["a scale that is no number", (m, x) => m.scale(x, Number.NaN)],
    ["all rows beside selected ones", (m, x) => m.add(x, m.select(x))],
  ];
  it.each(wrong)("%s", (_, act) => {
    const refused = {
      code: "model/invalid",
      message: expect.stringContaining("layer 1 of the llama"),
    };
    expect(() => inLayer(act)).toThrow(expect.objectContaining(refused));
  });
});

function attend(m: GraphBuilder, q: Ref, k: Ref, v: Ref, heads = 4): Ref {
  return m.attention(q, k, v, { heads, slot: m.kvSlot(4, 16, 16), scale: 1 });
}

describe("the recorded graph", () => {
  it("has the layer's state in one slot, part after part", () => {
    const m = start();
    let x = m.embed("token_embd");
    for (const _ of m.layers(2)) x = m.shift(m.shift(x));
    const graph = m.build(x, { outputKind: "logits" });
    expect(graph.slots).toEqual([
      { kind: "state", layer: 0, size: 128 },
      { kind: "state", layer: 1, size: 128 },
    ]);
    const places = graph.ops.flatMap((op) => (op.op === "shift" ? [[op.slot, op.slotOffset]] : []));
    expect(places).toEqual([
      [0, 0],
      [0, 64],
      [1, 0],
      [1, 64],
    ]);
  });

  it("has no op for what changes nothing", () => {
    inLayer((m, x) => {
      expect([m.scale(x, 1), m.clamp(x, 0), m.softcap(x, 0)]).toEqual([x, x, x]);
      expect([m.scale(x, 1, 1), m.scale(x, 2), m.clamp(x, 1), m.softcap(x, 1)]).not.toContain(x);
    });
  });

  it("has the epsilons of the file where none is given", () => {
    const m = start();
    const x = m.embed("token_embd");
    m.rmsNorm(x);
    m.layerNorm(x);
    const last = m.layerNorm(x, undefined, 32, 0.5);
    const { ops, causal, width, vocabulary } = m.build(last, { outputKind: "logits" });
    expect(ops.slice(1).map((op) => "eps" in op && op.eps)).toEqual([1e-6, 1e-5, 0.5]);
    expect([causal, width, vocabulary]).toEqual([true, 64, 96]);
  });
});
