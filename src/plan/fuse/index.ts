/**
 * Fusion: a list of patterns over the graph, each named, each optional. They know ops, never families.
 * A node makes one value; a view is a run of another value's columns and costs nothing.
 */
import type { Graph } from "../../graph/graph.ts";
import type { OpOf, Ref } from "../../graph/ops.ts";
import { SMALL_ROWS } from "../../graph/requests.ts";
import { append, ropeStore } from "./attention.ts";
import { expertGateUp, expertLists, expertSum, expertsOf } from "./experts.ts";
import { fusedLinearOf, gateUp, residual, scaleLinear, sharedInput } from "./linear.ts";
import {
  type Draft,
  type FusedGraph,
  index,
  type Node,
  type Pattern,
  type TensorFacts,
} from "./nodes.ts";
import { normLinear, normResidual } from "./norm.ts";

/** In the order they are tried. Only the mat-vec kernel, which small steps use, can take a norm in. */
const patterns: readonly Pattern[] = [
  { name: "gate-up", apply: gateUp },
  { name: "expert-gate-up", apply: expertGateUp },
  { name: "expert-sum", apply: expertSum },
  { name: "expert-lists", only: "many", apply: expertLists },
  { name: "scale", apply: scaleLinear },
  { name: "shared-input", apply: sharedInput },
  { name: "residual", apply: residual },
  { name: "norm-residual", apply: normResidual },
  { name: "norm", only: "few", apply: normLinear },
  { name: "rope-store", apply: ropeStore },
  { name: "append", only: "one", apply: append },
];

/** Names for `noFuse`. */
export const fusionNames: readonly string[] = patterns.map((p) => p.name);

export function fuse(
  graph: Graph,
  facts: TensorFacts,
  rows: number,
  without: readonly string[],
): FusedGraph {
  const draft: Draft = {
    nodes: [],
    values: graph.widths.map((width, i) => ({ width, selected: graph.selected[i] })),
    output: graph.output,
    facts,
  };
  graph.ops.forEach((op, ref) => {
    switch (op.op) {
      case "linear":
        draft.nodes.push(...linearNodes(draft, op, ref));
        return;
      case "moeLinear":
      case "headLinear":
        draft.nodes.push({ ref, op: expertsOf(op) });
        return;
      default:
        draft.nodes.push({ ref, op });
    }
  });
  // A slice of one run is a view whatever is switched off.
  draft.nodes = draft.nodes.filter(({ ref, op }) => {
    if (op.op !== "slice" || op.groups !== 1 || op.offset % 4 !== 0) return true;
    draft.values[ref] = { ...draft.values[ref], view: { of: op.x, offset: op.offset } };
    return false;
  });
  for (const pattern of patterns) {
    if (without.includes(pattern.name)) continue;
    const { only } = pattern;
    if (only === "one" && rows > 1) continue;
    if (only === "few" && rows > SMALL_ROWS) continue;
    if (only === "many" && rows <= SMALL_ROWS) continue;
    pattern.apply(draft, index(draft));
  }
  return { nodes: draft.nodes, values: draft.values, output: draft.output };
}

/** A map; a factor that is a tensor (BitNet) is a product of its own. */
function linearNodes(draft: Draft, op: OpOf<"linear">, ref: Ref): Node[] {
  const map = fusedLinearOf(op);
  const { layer, name, scale } = op;
  if (scale === undefined) return [{ ref, op: map }];
  const unscaled = draft.values.push({ ...draft.values[ref] }) - 1;
  const by = { layer, name: `${name} scale`, x: unscaled, weight: scale, run: 1 };
  return [
    { ref: unscaled, op: map },
    { ref, op: { op: "mulWeight", ...by } },
  ];
}
