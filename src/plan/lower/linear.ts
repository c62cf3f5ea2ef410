/** Lowering of linear maps: which weights share a dispatch, and where their rows stand. */
import type { Ref } from "../../graph/ops.ts";
import { NONE, type Place, read } from "../../kernels/call.ts";
import { type LinearCall, type LinearSegment, linear } from "../../kernels/linear.ts";
import { quantize, quantizedWidth } from "../../kernels/quantize.ts";
import { hasInt8 } from "../../kernels/quants.ts";
import type { FusedLinearOp } from "../fuse/ops.ts";
import type { Lowering, LoweringsOf } from "./lowering.ts";

function lowerFusedLinear(plan: Lowering, ref: Ref, op: FusedLinearOp): void {
  const x = plan.place(op.x);
  const residual = op.residual === undefined ? undefined : plan.place(op.residual);
  if (x.offset % 4 !== 0 || x.stride % 4 !== 0)
    throw new Error(`plan: ${op.name} reads an unaligned view`);
  const out = plan.make(ref, residual ? [x, residual] : [x]);
  const rows = plan.rows(x.domain);
  const common = {
    k: x.width,
    x,
    out,
    residual,
    norm: op.norm ? { weight: plan.vector(op.norm.weight), eps: op.norm.eps } : undefined,
    gate: op.gate,
    scale: op.scale,
    label: op.name,
    layer: op.layer,
  };
  // A segment a piece: rows of a part that one buffer holds. `row` is the output that the piece's
  // first row would make, which may lie before the part's own first output.
  let end = 0;
  const segments = op.parts.flatMap((part) => {
    const matrix = plan.matrix(part.weight);
    const start = op.gate ? 0 : end;
    end = start + part.out;
    return matrix.pieces.flatMap((piece) => {
      const first = Math.max(piece.first, part.first);
      const last = Math.min(piece.first + piece.rows, part.first + part.out);
      if (first >= last) return [];
      const bias = part.bias === undefined ? NONE : plan.vector(part.bias) + piece.first;
      const begin = start + first - part.first;
      const row = start + piece.first - part.first;
      return [
        {
          matrix,
          buffer: piece.buffer,
          base: piece.offset / 4,
          row,
          bias,
          begin,
          end: begin + last - first,
        },
      ];
    });
  });
  // Made in front of the first dispatch that reads it; all parts share it.
  let bytes: Place | undefined;
  const quantized = (): Place => {
    if (bytes) return bytes;
    bytes = plan.scratch(quantizedWidth(x.width), [x, out], x.domain);
    const norm = common.norm?.weight;
    plan.calls.push(quantize({ x, out: bytes, norm, label: "quantize", layer: op.layer }));
    return bytes;
  };
  type Found = (typeof segments)[number];
  const emit = (members: readonly Found[]): void => {
    const first = members[0].begin;
    const list = members.map(
      (m): LinearSegment => ({ base: m.base, start: m.row, end: m.end, bias: m.bias }),
    );
    const count = op.gate ? members[0].end - first : members.at(-1)!.end - first;
    const { type } = members[0].matrix;
    const weights = read(members[0].buffer);
    const call: LinearCall = { ...common, type, weights, segments: list, first, count };
    const { int8, tuning } = plan.input;
    const activations = int8 && hasInt8(type) ? { x: quantized(), int8 } : {};
    plan.calls.push(linear({ ...call, ...activations }, rows, tuning));
  };
  if (op.gate) {
    // The pattern makes such pairs only of weights that one buffer holds whole.
    emit(segments);
    return;
  }
  // Neighbours of one type in one buffer are one dispatch.
  let open: Found[] = [];
  for (const segment of segments) {
    const last = open.at(-1);
    if (
      last &&
      (last.matrix.type !== segment.matrix.type ||
        last.buffer !== segment.buffer ||
        open.length === 4)
    ) {
      emit(open);
      open = [];
    }
    open.push(segment);
  }
  emit(open);
}

export const linearLowerings: LoweringsOf<"fusedLinear"> = {
  fusedLinear: lowerFusedLinear,
};
