/** Builders of what works element by element, and of what rearranges elements and rows. */
import { SWIGLU_OAI } from "../activations.ts";
import type { Activation, OpBody, Ref } from "../ops.ts";
import type { Tape } from "../tape.ts";

export interface ElementwiseOps {
  add(a: Ref, b: Ref): Ref;
  /** a · b, where b may be shorter and is repeated. */
  mul(a: Ref, b: Ref): Ref;
  /** One dot product for each run of `group` elements (default: the whole row). */
  dot(a: Ref, b: Ref, group?: number): Ref;
  addWeight(x: Ref, stem: string): Ref;
  /** With `run`, each entry of the weight covers that many consecutive elements. */
  mulWeight(x: Ref, stem: string, run?: number): Ref;
  /** x · by + plus; nothing at all for by = 1, plus = 0. */
  scale(x: Ref, by: number, plus?: number): Ref;
  /** Limits to ±limit; nothing for limit = 0. */
  clamp(x: Ref, limit: number): Ref;
  /** cap · tanh(x / cap); nothing for cap = 0. */
  softcap(x: Ref, cap: number): Ref;
  activation(x: Ref, kind: Activation, params?: readonly number[]): Ref;
  /** kind(gate) · up; `limits` are of `swigluOai` alone (default: those of gpt-oss). */
  gated(
    gate: Ref,
    up: Ref,
    kind: Extract<OpBody, { op: "gated" }>["kind"],
    limits?: { alpha?: number; limit?: number },
  ): Ref;
  /** Elements [offset, offset + width) of each of `groups` (default 1) runs. */
  slice(x: Ref, offset: number, width: number, groups?: number): Ref;
  /** The parts one after another, in each of `groups` (default 1) runs. */
  concat(parts: readonly Ref[], groups?: number): Ref;
  /** From here on only the rows whose output is wanted. */
  select(x: Ref): Ref;
}

export function elementwiseOps(tape: Tape): ElementwiseOps {
  const { scope } = tape;

  /** Full name of a weight that covers x in whole repetitions of `run` elements an entry. */
  function vector(x: Ref, stem: string, run = 1): string {
    const name = scope.tensor(stem);
    const elements = scope.elements(name) ?? 0;
    if (elements === 0 || tape.width(x) % (elements * run) !== 0)
      scope.fail(`"${name}" has ${elements} elements, which do not divide ${tape.width(x)}`, stem);
    return name;
  }
  /** Refuses two values of different widths; `problem` says what they do not have or do. */
  function sameWidth(a: Ref, b: Ref, problem: string): void {
    if (tape.width(a) !== tape.width(b))
      scope.fail(`values of ${tape.width(a)} and ${tape.width(b)} elements ${problem}`);
  }

  return {
    add(a, b) {
      sameWidth(a, b, "cannot be added");
      return tape.append({ op: "add", a, b }, tape.width(a));
    },
    mul(a, b) {
      tape.divides(tape.width(b), a);
      return tape.append({ op: "mul", a, b }, tape.width(a));
    },
    dot(a, b, group = tape.width(a)) {
      sameWidth(a, b, "have no dot product");
      tape.divides(group, a);
      return tape.append({ op: "dot", a, b, group }, tape.width(a) / group);
    },
    addWeight(x, stem) {
      return tape.append({ op: "addWeight", x, weight: vector(x, stem) }, tape.width(x), stem);
    },
    mulWeight(x, stem, run = 1) {
      const weight = vector(x, stem, run);
      return tape.append({ op: "mulWeight", x, weight, run }, tape.width(x), stem);
    },
    scale(x, by, plus = 0) {
      if (!Number.isFinite(by) || !Number.isFinite(plus))
        scope.fail(`a scale of ${by} is not a number`);
      if (by === 1 && plus === 0) return x;
      return tape.append({ op: "scale", x, by, plus }, tape.width(x));
    },
    clamp(x, limit) {
      if (!(limit > 0)) return x;
      return tape.append({ op: "clamp", x, min: -limit, max: limit }, tape.width(x));
    },
    softcap(x, cap) {
      return cap > 0 ? tape.append({ op: "softcap", x, cap }, tape.width(x)) : x;
    },
    activation(x, kind, params = []) {
      return tape.append({ op: "activation", x, kind, params }, tape.width(x));
    },
    gated(gate, up, kind, limits) {
      if (tape.width(gate) !== tape.width(up))
        scope.fail(
          `a gate of ${tape.width(gate)} and a value of ${tape.width(up)} elements do not match`,
        );
      const { alpha, limit } = { ...SWIGLU_OAI, ...limits };
      return tape.append({ op: "gated", gate, up, kind, alpha, limit }, tape.width(up));
    },
    slice(x, offset, width, groups = 1) {
      tape.divides(groups, x);
      if (offset < 0 || width < 1 || (offset + width) * groups > tape.width(x))
        scope.fail(
          `elements ${offset} to ${offset + width} of ${groups} runs leave a width of ${tape.width(x)}`,
        );
      return tape.append({ op: "slice", x, offset, width, groups }, groups * width);
    },
    concat(parts, groups = 1) {
      for (const part of parts) tape.divides(groups, part);
      const width = parts.reduce((sum, part) => sum + tape.width(part), 0);
      return tape.append({ op: "concat", parts, groups }, width);
    },
    select(x) {
      return tape.append({ op: "select", x }, tape.width(x));
    },
  };
}
