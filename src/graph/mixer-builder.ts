/** The ops of mixtures of experts and of layers that carry state from row to row. */

import { OpList } from "./op-list.ts";
import type { OpBody, Ref, RouteParams } from "./ops.ts";

type Body<K extends OpBody["op"]> = Omit<Extract<OpBody, { op: K }>, "op" | "slot" | "slotOffset">;

export class MixerBuilder extends OpList {
  moeRoute(logits: Ref, route: Omit<RouteParams, "experts">): Ref {
    const experts = this.width(logits);
    const { used, groups, groupsUsed } = route;
    const whole = Number.isInteger(used) && used >= 1 && used <= experts;
    if (!whole || groups < 1 || experts % groups !== 0 || groupsUsed > groups)
      this.fail(
        `${used} of ${experts} experts in ${groupsUsed} of ${groups} groups cannot be chosen`,
      );
    return this.append({ op: "moeRoute", logits, experts, ...route }, 2 * used);
  }
  /** `perExpert`: x has a run for each chosen expert already. */
  moeLinear(
    x: Ref,
    route: Ref,
    stem: string,
    perExpert: boolean,
    rows?: { first: number; out: number },
  ): Ref {
    const used = this.width(route) / 2;
    const choice = this.op(route);
    const experts = choice.op === "moeRoute" ? choice.experts : 0;
    const weight = this.tensor(stem);
    const [width, height, depth] = this.shape(stem);
    const { first, out } = rows ?? { first: 0, out: height };
    if (
      width !== this.width(x) / (perExpert ? used : 1) ||
      depth !== experts ||
      first + out > height
    )
      this.fail(
        `"${weight}" is ${width} × ${height} × ${depth}, which does not fit ` +
          `${experts} experts on ${this.width(x)} elements`,
        stem,
      );
    const bias = this.beside(stem, "bias", height * experts);
    const scale = this.beside(stem, "scale", experts);
    return this.append(
      { op: "moeLinear", x, route, weight, bias, scale, used, perExpert, first, out },
      used * out,
      stem,
    );
  }
  /** `unweighted`: the experts' input carried the weights already. */
  moeSum(x: Ref, route: Ref, unweighted?: boolean): Ref {
    const used = this.width(route) / 2;
    this.divides(used, x);
    return this.append({ op: "moeSum", x, route, used, unweighted }, this.width(x) / used);
  }
  moeScale(x: Ref, route: Ref): Ref {
    const used = this.width(route) / 2;
    return this.append({ op: "moeScale", x, route, used }, this.width(x) * used);
  }

  conv(x: Ref, stem: string): Ref {
    const [kernel, ...rest] = this.shape(stem);
    const width = rest[0] * rest[1];
    if (width !== this.width(x))
      this.fail(`"${stem}" filters ${width} channels, not ${this.width(x)}`, stem);
    const bias = this.beside(stem, "bias", width);
    const part = this.claim((kernel - 1) * width);
    return this.append(
      { op: "conv", x, weight: this.tensor(stem), bias, kernel, ...part },
      width,
      stem,
    );
  }
  ssm(body: Body<"ssm">): Ref {
    const { x, dt, b, c, heads, headWidth, groups, state } = body;
    const fits =
      Number.isInteger(headWidth) &&
      this.width(x) === heads * headWidth &&
      this.width(dt) === heads &&
      heads % groups === 0 &&
      this.width(b) === groups * state &&
      this.width(c) === groups * state;
    this.expect(body.a, heads, heads * state);
    if (body.d !== undefined) this.expect(body.d, heads);
    if (!fits)
      this.fail(`${heads} state-space heads of ${headWidth} × ${state} do not fit their inputs`);
    return this.append(
      { op: "ssm", ...body, ...this.claim(heads * headWidth * state) },
      this.width(x),
    );
  }
  deltaNet(body: Body<"deltaNet">): Ref {
    const { q, k, v, g, beta, heads, keyHeads, keyWidth, valueWidth } = body;
    const gate = this.width(g);
    const fits =
      Number.isInteger(valueWidth) &&
      heads % keyHeads === 0 &&
      this.width(q) === keyHeads * keyWidth &&
      this.width(k) === keyHeads * keyWidth &&
      this.width(v) === heads * valueWidth &&
      (gate === heads || gate === heads * keyWidth) &&
      this.width(beta) === heads;
    if (!fits)
      this.fail(`${heads} delta-rule heads of ${keyWidth} × ${valueWidth} do not fit their inputs`);
    return this.append(
      { op: "deltaNet", ...body, ...this.claim(heads * keyWidth * valueWidth) },
      this.width(v),
    );
  }
  shift(x: Ref): Ref {
    return this.append({ op: "shift", x, ...this.claim(this.width(x)) }, this.width(x));
  }
  wkv7(body: Body<"wkv7">): Ref {
    const width = body.heads * body.headWidth;
    for (const part of [body.r, body.w, body.k, body.v, body.a, body.b])
      if (this.width(part) !== width)
        this.fail(
          `${body.heads} heads of ${body.headWidth} need ${width} elements, not ${this.width(part)}`,
        );
    return this.append({ op: "wkv7", ...body, ...this.claim(width * body.headWidth) }, width);
  }
}
