/** Builders of mixtures of experts. */
import type { Ref, RouteParams } from "../ops.ts";
import type { Tape } from "../tape.ts";
import type { MatrixRows } from "./matrices.ts";

export interface ExpertOps {
  /** Chooses experts by their logits: as many numbers as are used, then as many weights. */
  moeRoute(logits: Ref, route: Omit<RouteParams, "experts">): Ref;
  /** A run for each chosen expert. `perExpert`: x has such runs already. */
  moeLinear(x: Ref, route: Ref, stem: string, perExpert: boolean, rows?: MatrixRows): Ref;
  /** Σ weight · run. `unweighted`: the experts' input carried the weights already. */
  moeSum(x: Ref, route: Ref, unweighted?: boolean): Ref;
  /** x once for each chosen expert, times its weight. */
  moeScale(x: Ref, route: Ref): Ref;
}

export function expertOps(tape: Tape): ExpertOps {
  const { scope } = tape;
  const usedBy = (route: Ref): number => tape.width(route) / 2;
  return {
    moeRoute(logits, route) {
      const experts = tape.width(logits);
      const { used, groups, groupsUsed } = route;
      const whole = Number.isInteger(used) && used >= 1 && used <= experts;
      if (!whole || groups < 1 || experts % groups !== 0 || groupsUsed > groups)
        scope.fail(
          `${used} of ${experts} experts in ${groupsUsed} of ${groups} groups cannot be chosen`,
        );
      return tape.append({ op: "moeRoute", logits, experts, ...route }, 2 * used);
    },
    moeLinear(x, route, stem, perExpert, rows) {
      const used = usedBy(route);
      const choice = tape.op(route);
      const experts = choice.op === "moeRoute" ? choice.experts : 0;
      const weight = scope.tensor(stem);
      const [width, height, depth] = scope.shape(stem);
      const { first, out } = rows ?? { first: 0, out: height };
      const taken = tape.width(x) / (perExpert ? used : 1);
      if (width !== taken || depth !== experts || first + out > height)
        scope.fail(
          `"${weight}" is ${width} × ${height} × ${depth}, which does not fit ` +
            `${experts} experts on ${tape.width(x)} elements`,
          stem,
        );
      const bias = scope.sizedBeside(stem, "bias", height * experts);
      const scale = scope.sizedBeside(stem, "scale", experts);
      const body = { x, route, weight, bias, scale, used, perExpert, first, out };
      return tape.append({ op: "moeLinear", ...body }, used * out, stem);
    },
    moeSum(x, route, unweighted = false) {
      const used = usedBy(route);
      tape.divides(used, x);
      return tape.append(
        { op: "moeSum", x, route, used, weighted: !unweighted },
        tape.width(x) / used,
      );
    },
    moeScale(x, route) {
      const used = usedBy(route);
      return tape.append({ op: "moeScale", x, route, used }, tape.width(x) * used);
    },
  };
}
