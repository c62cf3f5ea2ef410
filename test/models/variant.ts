/** Graphs of families whose header is changed to that of a published variant. */
import { expect } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import type { OpOf } from "../../src/graph/ops.ts";
import { tensorsOf } from "../../src/graph/ops.ts";
import { buildGraph } from "../../src/models/index.ts";
import { familyFile } from "./headers.ts";

export type Changes = NonNullable<Parameters<typeof familyFile>[1]>;
export type Tensors = NonNullable<Parameters<typeof familyFile>[3]>;

/** The graph, after a look that each tensor of the file is read. */
export function buildVariant(
  architecture: string,
  changes: Changes = {},
  tensors: Tensors = {},
): Graph {
  const file = familyFile(architecture, changes, undefined, tensors);
  const graph = buildGraph(file, { contextLength: 256 });
  const read = new Set(graph.ops.flatMap(tensorsOf));
  expect([...file.tensors.keys()].filter((name) => !read.has(name))).toEqual([]);
  return graph;
}

/** The ops of one kind. */
export const opsOf = <K extends Graph["ops"][number]["op"]>({ ops }: Graph, kind: K): OpOf<K>[] =>
  ops.filter((op): op is OpOf<K> => op.op === kind);

/** The linear ops of a stem, by layer. */
export const linears = (graph: Graph, stem: string): OpOf<"linear">[] =>
  opsOf(graph, "linear").filter(({ weight }) => weight.endsWith(`.${stem}.weight`));
