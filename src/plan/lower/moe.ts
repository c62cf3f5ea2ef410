/** Lowering of mixture-of-experts ops. */
import type { Ref } from "../../graph/ops.ts";
import { NONE, read } from "../../kernels/call.ts";
import { moeGroup, moeLinear } from "../../kernels/moeLinear.ts";
import { moeRoute } from "../../kernels/moeRoute.ts";
import { moeScale, moeSum } from "../../kernels/moeSum.ts";
import type { ExpertsOp, PlanOpOf } from "../fuse/ops.ts";
import { expertsIn } from "../place.ts";
import type { Lowering, LoweringsOf } from "./lowering.ts";

type MoeOp = PlanOpOf<"moeRoute" | "moeScale" | "moeSum" | "experts" | "expertLists">;

function lowerMoe(plan: Lowering, ref: Ref, op: MoeOp): void {
  const about = { label: op.name, layer: op.layer };
  switch (op.op) {
    case "moeRoute": {
      const x = plan.place(op.logits);
      const bias = plan.vector(op.selectionBias);
      plan.calls.push(moeRoute({ ...about, params: op, x, out: plan.make(ref, [x]), bias }));
      return;
    }
    case "expertLists": {
      const route = plan.place(op.route);
      const rows = plan.rows(route.domain);
      const { experts, used, layer } = op;
      const lists = plan.make(ref, [route]);
      plan.calls.push(moeGroup({ route, lists, experts, used, rows, layer }));
      return;
    }
    case "experts":
      return lowerExperts(plan, ref, op);
    case "moeScale": {
      const x = plan.place(op.x);
      const route = plan.place(op.route);
      plan.calls.push(
        moeScale({ ...about, x, route, out: plan.make(ref, [x, route]), used: op.used }),
      );
      return;
    }
    case "moeSum": {
      const x = plan.place(op.x);
      const route = plan.place(op.route);
      const residual = op.residual === undefined ? undefined : plan.place(op.residual);
      const out = plan.make(ref, residual ? [x, route, residual] : [x, route]);
      plan.calls.push(
        moeSum({ ...about, x, route, residual, out, used: op.used, weighted: op.weighted }),
      );
      return;
    }
  }
}

/** One dispatch a piece: each makes the outputs of the experts that it holds. */
function lowerExperts(plan: Lowering, ref: Ref, op: ExpertsOp): void {
  const x = plan.place(op.x);
  const [route, lists] = [op.route, op.lists].map((r) =>
    r === undefined ? undefined : plan.place(r),
  );
  const k = x.width / (op.perExpert ? op.used : 1);
  if (x.offset % 4 !== 0 || x.stride % 4 !== 0 || (op.perExpert && k % 4 !== 0))
    throw new Error(`plan: ${op.name} reads an unaligned view`);
  const out = plan.make(
    ref,
    [x, route, lists].filter((p) => p !== undefined),
  );
  const matrices = op.parts.map((part) => plan.matrix(part.weight));
  const [matrix] = matrices;
  const experts = expertsIn(matrix);
  matrix.pieces.forEach((piece, i) => {
    const parts = op.parts.map((part, p) => ({
      height: matrices[p].rows / experts,
      first: part.first,
      base: matrices[p].pieces[i].offset / 4,
      pieceFirst: matrices[p].pieces[i].first,
      pieceRows: matrices[p].pieces[i].rows,
      bias: part.bias === undefined ? NONE : plan.vector(part.bias),
      scale: part.scale === undefined ? NONE : plan.vector(part.scale),
    }));
    plan.calls.push(
      moeLinear(
        {
          type: matrix.type,
          weights: read(piece.buffer),
          parts,
          k,
          count: op.out,
          x,
          perExpert: op.perExpert,
          route,
          lists,
          tiled: !plan.matvec && (lists !== undefined || route === undefined),
          out,
          experts,
          used: op.used,
          rows: plan.rows(x.domain),
          gate: op.gate,
          label: op.name,
          layer: op.layer,
        },
        plan.input.tuning,
      ),
    );
  });
}

export const moeLowerings: LoweringsOf<MoeOp["op"]> = {
  moeRoute: lowerMoe,
  expertLists: lowerMoe,
  experts: lowerMoe,
  moeSum: lowerMoe,
  moeScale: lowerMoe,
};
