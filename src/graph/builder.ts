/**
 * Builds a {@link Graph}: one function an op, each of which checks widths and tensor shapes at once, so
 * that a wrong file is refused with the layer and the tensor's name before any memory is taken.
 *
 * Tensors are named by their stem. Inside `layers()` the stem `attn_q` means `blk.{i}.attn_q.weight`;
 * a bias (`.bias`) or scale (`.scale`) that stands beside it in the file is used by itself.
 */
import type { ModelFile } from "../file/types.ts";
import { type AttentionOps, attentionOps } from "./builders/attention.ts";
import { type ElementwiseOps, elementwiseOps } from "./builders/elementwise.ts";
import { type ExpertOps, expertOps } from "./builders/experts.ts";
import { type MatrixOps, matrixOps } from "./builders/matrices.ts";
import { type RecurrentOps, recurrentOps } from "./builders/recurrent.ts";
import type { Graph } from "./graph.ts";
import type { Ref } from "./ops.ts";
import { Scope } from "./scope.ts";
import { type GraphEnd, type GraphFacts, Tape } from "./tape.ts";

/** What families ask of the {@link Scope} that names their tensors. */
export type Names = Pick<Scope, "layers" | "has" | "tensor" | "optional" | "shape" | "fail">;

/** All ops, and the names of the tensors that they read. */
export interface GraphBuilder
  extends Names,
    MatrixOps,
    ElementwiseOps,
    AttentionOps,
    ExpertOps,
    RecurrentOps {
  readonly facts: GraphFacts;
  /** Number of the layer that is being built, −1 outside of layers. */
  layer(): number;
  /** Width of a value. */
  width(x: Ref): number;
  /** Given rows take the place of this value, not of the token's embedding itself; returns it. */
  takeGiven(x: Ref): Ref;
  /** The finished graph, whose result is the value `output`. */
  build(output: Ref, end: GraphEnd): Graph;
}

export function graphBuilder(file: ModelFile, facts: GraphFacts): GraphBuilder {
  const scope = new Scope(file, facts.architecture);
  const tape = new Tape(scope);
  return {
    facts,
    layer: () => scope.layer,
    layers: (count, prefix) => scope.layers(count, prefix),
    has: (stem) => scope.has(stem),
    tensor: (stem) => scope.tensor(stem),
    optional: (stem, size) => scope.optional(stem, size),
    shape: (stem) => scope.shape(stem),
    fail: (problem, stem) => scope.fail(problem, stem),
    ...matrixOps(tape, facts),
    ...elementwiseOps(tape),
    ...attentionOps(tape, facts),
    ...expertOps(tape),
    ...recurrentOps(tape),
    width: (x) => tape.width(x),
    takeGiven: (x) => tape.takeGiven(x),
    build: (output, end) => tape.finish(facts, output, end),
  };
}
