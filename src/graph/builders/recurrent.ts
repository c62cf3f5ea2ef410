/** Builders of what carries state from row to row; each claims its part of the layer's state slot. */
import type { OpBody, Ref } from "../ops.ts";
import type { Tape } from "../tape.ts";

type Inputs<K extends OpBody["op"]> = Omit<
  Extract<OpBody, { op: K }>,
  "op" | "slot" | "slotOffset"
>;

export interface RecurrentOps {
  /** Causal convolution of each channel with its own filter. */
  conv(x: Ref, stem: string): Ref;
  ssm(inputs: Inputs<"ssm">): Ref;
  deltaNet(inputs: Inputs<"deltaNet">): Ref;
  /** The row before, zeros for the first. */
  shift(x: Ref): Ref;
  wkv7(inputs: Inputs<"wkv7">): Ref;
}

export function recurrentOps(tape: Tape): RecurrentOps {
  const { scope } = tape;
  const is = (x: Ref, width: number): boolean => tape.width(x) === width;
  return {
    conv(x, stem) {
      const [kernel, ...rest] = scope.shape(stem);
      const width = rest[0] * rest[1];
      if (!is(x, width))
        scope.fail(`"${stem}" filters ${width} channels, not ${tape.width(x)}`, stem);
      const bias = scope.sizedBeside(stem, "bias", width);
      const state = tape.claimState((kernel - 1) * width);
      const body = { x, weight: scope.tensor(stem), bias, kernel, ...state };
      return tape.append({ op: "conv", ...body }, width, stem);
    },
    ssm(inputs) {
      const { x, dt, b, c, heads, headWidth, groups, state } = inputs;
      const fits =
        Number.isInteger(headWidth) &&
        is(x, heads * headWidth) &&
        is(dt, heads) &&
        heads % groups === 0 &&
        is(b, groups * state) &&
        is(c, groups * state);
      scope.expect(inputs.a, heads, heads * state);
      if (inputs.d !== undefined) scope.expect(inputs.d, heads);
      if (!fits)
        scope.fail(`${heads} state-space heads of ${headWidth} × ${state} do not fit their inputs`);
      const place = tape.claimState(heads * headWidth * state);
      return tape.append({ op: "ssm", ...inputs, ...place }, tape.width(x));
    },
    deltaNet(inputs) {
      const { q, k, v, g, beta, heads, keyHeads, keyWidth, valueWidth } = inputs;
      const fits =
        Number.isInteger(valueWidth) &&
        heads % keyHeads === 0 &&
        is(q, keyHeads * keyWidth) &&
        is(k, keyHeads * keyWidth) &&
        is(v, heads * valueWidth) &&
        (is(g, heads) || is(g, heads * keyWidth)) &&
        is(beta, heads);
      if (!fits)
        scope.fail(
          `${heads} delta-rule heads of ${keyWidth} × ${valueWidth} do not fit their inputs`,
        );
      const place = tape.claimState(heads * keyWidth * valueWidth);
      return tape.append({ op: "deltaNet", ...inputs, ...place }, tape.width(v));
    },
    shift(x) {
      return tape.append({ op: "shift", x, ...tape.claimState(tape.width(x)) }, tape.width(x));
    },
    wkv7(inputs) {
      const { r, w, k, v, a, b, heads, headWidth } = inputs;
      const width = heads * headWidth;
      const wrong = [r, w, k, v, a, b].find((part) => !is(part, width));
      if (wrong !== undefined)
        scope.fail(
          `${heads} heads of ${headWidth} need ${width} elements, not ${tape.width(wrong)}`,
        );
      return tape.append({ op: "wkv7", ...inputs, ...tape.claimState(width * headWidth) }, width);
    },
  };
}
