/** Fusion drops no value that is read: by hand for each pattern, and over random graphs. */
import { describe, expect, it } from "vitest";
import type { Ref } from "../../src/graph/ops.ts";
import { fuse } from "../../src/plan/fuse/index.ts";
import type { FusedGraph } from "../../src/plan/fuse/nodes.ts";
import { inputs } from "../../src/plan/fuse/ops.ts";
import { type MadeModel, randomGraph, ropeTable, Sketch } from "./graphs.ts";

/** Fused as if all weights stood where it suits. */
function fused({ graph, file }: MadeModel, rows: number, without: string[] = []): FusedGraph {
  const facts = {
    type: () => 0,
    together: () => true,
    expertsTogether: () => true,
    appends: () => true,
    elements: (name: string) => file.tensors.get(name)?.elements ?? 0,
  };
  return fuse(graph, facts, rows, without);
}

/** What is read, or given out, before it is made. */
function readUnmade({ nodes, values, output }: FusedGraph): string[] {
  const base = (ref: Ref): Ref => {
    const view = values[ref].view;
    return view ? base(view.of) : ref;
  };
  const made = new Set<Ref>();
  const wrong = nodes.flatMap(({ ref, op }) => {
    const early = inputs(op).filter((one) => !made.has(base(one)));
    made.add(ref);
    return early.map((one) => `${op.op} ${ref} reads ${one}`);
  });
  return made.has(base(output)) ? wrong : [...wrong, `output ${output} is not made`];
}

interface Shape {
  /** Values that the pattern takes in. */
  readonly inner: readonly Ref[];
  readonly result: Ref;
}

function keyValueSlot(s: Sketch): number {
  const layout = { heads: 1, keyWidth: 16, valueWidth: 16, valueIsKeyPrefix: false, window: 0 };
  return s.slots.push({ kind: "kv", layer: 0, ...layout }) - 1;
}

/** The graph that a pattern is for, from an embedding of 16 on. */
const shapes: Readonly<Record<string, (s: Sketch, x: Ref) => Shape>> = {
  "gate-up": (s, x) => {
    const [gate, up] = [s.linear(x, 16), s.linear(x, 16)];
    const body = { op: "gated", gate, up, kind: "silu", alpha: 1, limit: 1 } as const;
    return { inner: [gate, up], result: s.add(body, 16) };
  },
  "expert-gate-up": (s, x) => {
    const route = routeOf(s, x);
    const [gate, up] = [experts(s, x, route), experts(s, x, route)];
    const body = { op: "gated", gate, up, kind: "silu", alpha: 1, limit: 1 } as const;
    return { inner: [gate, up], result: s.add(body, 32) };
  },
  "expert-sum": (s, x) => {
    const route = routeOf(s, x);
    const all = experts(s, x, route);
    const sum = s.add({ op: "moeSum", x: all, route, used: 2, weighted: true }, 16);
    return { inner: [sum], result: s.add({ op: "add", a: x, b: sum }, 16) };
  },
  scale: (s, x) => {
    const map = s.linear(x, 16);
    return { inner: [map], result: s.add({ op: "scale", x: map, by: 2, plus: 0 }, 16) };
  },
  residual: (s, x) => {
    const map = s.linear(x, 16);
    return { inner: [map], result: s.add({ op: "add", a: x, b: map }, 16) };
  },
  "norm-residual": (s, x) => {
    const norm = s.norm(x);
    return { inner: [norm], result: s.add({ op: "add", a: x, b: norm }, 16) };
  },
  norm: (s, x) => {
    const norm = s.norm(x);
    return { inner: [norm], result: s.linear(norm, 16) };
  },
  "rope-store": (s, x) => {
    const [q0, k0, v] = [s.linear(x, 16), s.linear(x, 16), s.linear(x, 16)];
    const turn = {
      op: "rope",
      headWidth: 16,
      start: 0,
      style: "neox",
      table: ropeTable(16),
    } as const;
    const [q, k] = [q0, k0].map((part) => s.add({ ...turn, x: part }, 16));
    const mask = { window: 0, windowKind: "sliding", alibi: 0, causal: true } as const;
    const more = { heads: 1, scale: 1, softcap: 0, slot: keyValueSlot(s), ...mask };
    return { inner: [q, k], result: s.add({ op: "attention", q, k, v, ...more }, 16, false) };
  },
};

function routeOf(s: Sketch, x: Ref): Ref {
  const params = { groups: 1, groupsUsed: 1, gate: "softmax", normalize: true, scale: 1 } as const;
  const logits = s.linear(x, 4);
  return s.add({ op: "moeRoute", logits, experts: 4, used: 2, ...params }, 4);
}
function experts(s: Sketch, x: Ref, route: Ref): Ref {
  const body = { weight: s.tensor(16, 16, 4), used: 2, perExpert: false, first: 0, out: 16 };
  return s.add({ op: "moeLinear", x, route, ...body }, 32);
}

/** The graph of a pattern; `again`: the taken-in value of this number is read by another op too. */
function sketched(name: string, again?: number): MadeModel {
  const s = new Sketch(1);
  const { inner, result } = shapes[name](s, s.embed(16));
  if (again === undefined) return s.model();
  const x = inner[again];
  // A factor and a term: no pattern takes this reader in.
  const other = s.add({ op: "scale", x, by: 2, plus: 1 }, s.widths[x]);
  s.add({ op: "concat", parts: [result, other], groups: 1 }, s.widths[result] + s.widths[other]);
  return s.model();
}

describe("fusion", () => {
  it.each(Object.keys(shapes))("by %s saves nodes", (name) => {
    const graph = sketched(name);
    expect(readUnmade(fused(graph, 1))).toEqual([]);
    expect(fused(graph, 1).nodes.length).toBeLessThan(fused(graph, 1, [name]).nodes.length);
  });

  it.each(Object.keys(shapes))("by %s keeps a value that another op reads", (name) => {
    const s = new Sketch(1);
    const count = shapes[name](s, s.embed(16)).inner.length;
    for (let again = 0; again < count; again++)
      for (const rows of [1, 8, 64])
        expect(readUnmade(fused(sketched(name, again), rows)), `${again}`).toEqual([]);
  });

  it("makes all that is read in random graphs", () => {
    for (let seed = 1; seed <= 200; seed++)
      for (const rows of [1, 8, 64])
        expect(readUnmade(fused(randomGraph(seed, 5 + (seed % 25)), rows)), `${seed}`).toEqual([]);
  });
});
