/** Builders of embeddings, norms and products with matrices. */
import type { OpBody, Ref } from "../ops.ts";
import type { GraphFacts, Tape } from "../tape.ts";

/** Rows [first, first + out) of a matrix; those of a stack of matrices are counted through. */
export interface MatrixRows {
  readonly first: number;
  readonly out: number;
}

export interface MatrixOps {
  /** Rows of a table: by the row's token or position, or always the first; `offset` is added. */
  embed(stem: string, by?: Extract<OpBody, { op: "embed" }>["by"], offset?: number): Ref;
  /** Over runs of `group` elements (default: the whole row); without a stem the norm has no weight. */
  rmsNorm(x: Ref, stem?: string, group?: number, eps?: number): Ref;
  layerNorm(x: Ref, stem?: string, group?: number, eps?: number): Ref;
  l2Norm(x: Ref, group: number, eps: number): Ref;
  /** x · Wᵀ (+ bias, · scale where the file has them), of all rows of the weight or of some. */
  linear(x: Ref, stem: string, rows?: MatrixRows): Ref;
  /** Each head's run of x through its own matrix of a weight [in, out, heads]. */
  headLinear(x: Ref, stem: string): Ref;
}

export function matrixOps(tape: Tape, facts: GraphFacts): MatrixOps {
  const { scope } = tape;

  function normWeight(x: Ref, stem: string | undefined, group: number): string | undefined {
    tape.divides(group, x);
    if (stem === undefined) return undefined;
    const name = scope.tensor(stem);
    scope.expect(name, group, tape.width(x));
    return name;
  }
  /** A scale of one number; longer ones belong to other ops. */
  function scaleBeside(stem: string): string | undefined {
    const name = scope.beside(stem, "scale");
    return name !== undefined && scope.elements(name) === 1 ? name : undefined;
  }

  return {
    embed(stem, by = "token", offset = 0) {
      const table = scope.tensor(stem);
      const [width, rows] = scope.shape(stem);
      const tokens = by === "token" ? scope.shape("token_embd")[1] : 1;
      if (rows < tokens) scope.fail(`"${table}" has ${rows} rows for ${tokens} tokens`, stem);
      return tape.append({ op: "embed", table, by, offset }, width, stem);
    },
    rmsNorm(x, stem, group = tape.width(x), eps = facts.rmsEps) {
      const weight = normWeight(x, stem, group);
      return tape.append({ op: "rmsNorm", x, weight, eps, group }, tape.width(x), stem);
    },
    layerNorm(x, stem, group = tape.width(x), eps = facts.normEps) {
      const width = tape.width(x);
      const weight = normWeight(x, stem, group);
      const bias = stem === undefined ? undefined : scope.sizedBeside(stem, "bias", group, width);
      return tape.append({ op: "layerNorm", x, weight, bias, eps, group }, width, stem);
    },
    l2Norm(x, group, eps) {
      tape.divides(group, x);
      return tape.append({ op: "l2Norm", x, eps, group }, tape.width(x));
    },
    linear(x, stem, rows) {
      const weight = scope.tensor(stem);
      const [width, height, depth] = scope.shape(stem);
      const all = height * depth;
      const { first, out } = rows ?? { first: 0, out: all };
      if (width !== tape.width(x) || first < 0 || out < 1 || first + out > all)
        scope.fail(
          `"${weight}" is ${width} × ${all}, but rows ${first} to ${first + out} ` +
            `of a matrix ${tape.width(x)} wide are needed`,
          stem,
        );
      const bias = scope.sizedBeside(stem, "bias", all);
      const scale = scaleBeside(stem);
      return tape.append({ op: "linear", x, weight, bias, scale, first, out }, out, stem);
    },
    headLinear(x, stem) {
      const weight = scope.tensor(stem);
      const [width, out, heads] = scope.shape(stem);
      if (width * heads !== tape.width(x))
        scope.fail(
          `"${weight}" takes ${heads} heads of ${width} elements, not ${tape.width(x)}`,
          stem,
        );
      return tape.append({ op: "headLinear", x, weight, heads, out }, heads * out, stem);
    },
  };
}
