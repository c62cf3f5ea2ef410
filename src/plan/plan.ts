/**
 * From a fused graph to a plan: the list of dispatches that a step of one row-count class replays.
 * Pure data: buffers are named, nothing is created. One plan a class; all classes share weights, cache and arena.
 */
import type { SlotLayout, StateLayout } from "../cache/layout.ts";
import type { Graph, Op, Ref } from "../graph/ops.ts";
import { activationNumber } from "../kernels/activation.ts";
import { argmax, argmaxScratch } from "../kernels/argmax.ts";
import { attention, scratchWidth } from "../kernels/attention.ts";
import { type Domain, type KernelCall, NONE, type Place, read } from "../kernels/call.ts";
import { copy } from "../kernels/copy.ts";
import { type ElementwiseCall, elementwise } from "../kernels/elementwise.ts";
import { embed } from "../kernels/embed.ts";
import { linear, type LinearSegment, MATVEC_ROWS, type MatvecTuning } from "../kernels/linear.ts";
import { norm } from "../kernels/norm.ts";
import { rope } from "../kernels/rope.ts";
import { ropeStore } from "../kernels/ropeStore.ts";
import type { PlacedMatrix, Placement } from "../weights/place.ts";
import { Arena, type Slot } from "./arena.ts";
import type { Constants } from "./constants.ts";
import { type FusedGraph, fuse, inputs, type LinearsOp, type PlanOp, type RopeStoreOp } from "./fuse.ts";
import { lowerMoe } from "./moe.ts";
import { lowerState } from "./state.ts";

/** How many rows a plan is made for, and how many of them may have outputs. */
export interface RowClass {
  readonly rows: number;
  readonly outputs: number;
}

export interface Tuning extends MatvecTuning {
  /** Parts into which a row's range is cut in decode attention. */
  readonly splits: number;
}

export interface PlanInput {
  readonly graph: Graph;
  readonly placement: Placement;
  readonly slots: readonly (SlotLayout | StateLayout)[];
  readonly constants: Constants;
  readonly tuning: Tuning;
  /** Sequences: results of sampling follow their tokens in the "sampled" buffer. */
  readonly maxSequences: number;
  readonly noFuse: readonly string[];
}

export interface Plan {
  readonly rowClass: RowClass;
  readonly calls: readonly KernelCall[];
  /** Calls that a step without outputs needs; the head and what follows come after. */
  readonly bodyLength: number;
  /** Calls up to the output; sampling comes after. */
  readonly outputLength: number;
  /** f32 elements of each arena buffer. */
  readonly arena: readonly number[];
  /** Where the output of the graph stands. */
  readonly output: Place;
}

export function makePlan(input: PlanInput, rowClass: RowClass): Plan {
  return new Lowering(input, rowClass).run();
}

/** Lowers node by node, in order; values are placed when they are made and freed after their last reader. */
export class Lowering {
  readonly input: PlanInput;
  readonly rowClass: RowClass;
  readonly matvec: boolean;
  readonly fused: FusedGraph;
  readonly calls: KernelCall[] = [];
  readonly #arena = new Arena();
  readonly #slots = new Map<Ref, Slot>();
  readonly #places = new Map<Ref, Place>();

  constructor(input: PlanInput, rowClass: RowClass) {
    this.input = input;
    this.rowClass = rowClass;
    this.matvec = rowClass.rows <= MATVEC_ROWS;
    const { matrices } = input.placement;
    const tensors = new Map<string, number>();
    for (const [name, m] of matrices) tensors.set(name, m.tensor.elements);
    this.fused = fuse(
      input.graph,
      {
        type: (name) => matrices.get(name)!.type.id,
        together: (...names) => {
          const pieces = names.flatMap((name) => matrices.get(name)!.pieces);
          return pieces.length === names.length && pieces.every((p) => p.buffer === pieces[0].buffer);
        },
        elements: (name) => tensors.get(name) ?? input.placement.vectorLengths.get(name) ?? 0,
      },
      this.matvec,
      input.noFuse,
    );
  }

  run(): Plan {
    const { nodes, output } = this.fused;
    const lastUse = new Map<Ref, number>();
    nodes.forEach(({ op }, i) => {
      for (const ref of inputs(op)) lastUse.set(this.base(ref), i);
    });
    lastUse.set(this.base(output), nodes.length);
    let bodyLength = 0;
    nodes.forEach(({ ref, op }, i) => {
      if (!this.selected(ref)) bodyLength = -1;
      this.lower(ref, op);
      if (bodyLength === -1) bodyLength = this.calls.length;
      for (const used of new Set([...inputs(op).map((r) => this.base(r)), this.base(ref)])) {
        const slot = this.#slots.get(used);
        if (slot && (lastUse.get(used) ?? -1) <= i) {
          this.#arena.free(slot);
          this.#slots.delete(used);
        }
      }
    });
    const place = this.place(output);
    const outputLength = this.calls.length;
    if (this.input.graph.outputKind === "logits") {
      const scratch = this.scratch(argmaxScratch(place.width), [place], 1);
      this.calls.push(...argmax(place, scratch, this.input.maxSequences));
    }
    return {
      rowClass: this.rowClass,
      calls: this.calls,
      bodyLength: this.causalBody(bodyLength),
      outputLength,
      arena: this.#arena.sizes,
      output: place,
    };
  }

  /** Steps without outputs stop after the last call that is not for output rows only. */
  causalBody(length: number): number {
    return this.input.graph.selected.some(Boolean) ? length : this.calls.length;
  }

  base(ref: Ref): Ref {
    let at = ref;
    for (let view = this.fused.values[at].view; view; view = this.fused.values[at].view) at = view.of;
    return at;
  }

  selected(ref: Ref): boolean {
    return this.fused.values[ref].selected;
  }

  domain(ref: Ref): Domain {
    return this.selected(ref) ? 1 : 0;
  }

  rows(domain: Domain): number {
    return domain === 1 ? this.rowClass.outputs : this.rowClass.rows;
  }

  /** Where a value stands, views resolved. */
  place(ref: Ref): Place {
    const value = this.fused.values[ref];
    if (!value.view) {
      const place = this.#places.get(ref);
      if (!place) throw new Error(`plan: value ${ref} is read before it is made`);
      return place;
    }
    const parent = this.place(value.view.of);
    return { ...parent, offset: parent.offset + value.view.offset, width: value.width };
  }

  /** Makes room for a value that is written while `sources` are read. */
  make(ref: Ref, sources: readonly Place[]): Place {
    const { width } = this.fused.values[ref];
    const domain = this.domain(ref);
    const stride = Math.ceil(width / 4) * 4;
    const slot = this.#arena.allocate(stride * this.rows(domain), avoid(sources));
    this.#slots.set(ref, slot);
    const place: Place = { buffer: `arena:${slot.buffer}`, offset: slot.offset, stride, width, domain };
    this.#places.set(ref, place);
    return place;
  }

  /** Room for the results of one dispatch that only the next few read; free again at once. */
  scratch(width: number, sources: readonly Place[], domain: Domain): Place {
    const stride = Math.ceil(width / 4) * 4;
    const slot = this.#arena.allocate(stride * this.rows(domain), avoid(sources));
    this.#arena.free(slot);
    return { buffer: `arena:${slot.buffer}`, offset: slot.offset, stride, width, domain };
  }

  /** f32 index of a vector in the small buffer, or NONE. */
  vector(name: string | undefined): number {
    return name === undefined ? NONE : this.input.placement.vectors.get(name)!;
  }

  matrix(name: string): PlacedMatrix {
    return this.input.placement.matrices.get(name)!;
  }

  lower(ref: Ref, op: PlanOp): void {
    switch (op.op) {
      case "linears":
        return this.#linears(ref, op);
      case "ropeStore":
        return this.#ropeStore(ref, op);
      case "embed":
        return this.#embed(ref, op);
      case "rmsNorm":
      case "layerNorm":
      case "l2Norm":
        return this.#norm(ref, op);
      case "rope": {
        const x = this.place(op.x);
        const { headWidth, start, style, table } = op;
        const angles = this.input.constants.angles(table);
        const out = this.make(ref, [x]);
        this.calls.push(rope({ x, out, headWidth, start, rotated: table.rotated, style, angles, label: op.name, layer: op.layer }));
        return;
      }
      case "attention":
        return this.#attention(ref, op);
      case "select": {
        // The only row of a step is its output row.
        const x = this.place(op.x);
        if (this.rowClass.rows === 1) {
          this.#places.set(ref, { ...x, domain: 1 });
          this.#rename(ref, this.base(op.x));
          return;
        }
        this.#copy(ref, op, [{ x, width: x.width, from: 0, fromRun: 0, to: 0, toRun: 0 }], 1, true);
        return;
      }
      case "slice": {
        const x = this.place(op.x);
        const run = x.width / op.groups;
        this.#copy(ref, op, [{ x, width: op.width, from: op.offset, fromRun: run, to: 0, toRun: op.width }], op.groups, false);
        return;
      }
      case "concat": {
        const runs = op.parts.map((part) => this.place(part));
        const total = runs.reduce((sum, p) => sum + p.width / op.groups, 0);
        let to = 0;
        const parts = runs.map((x) => {
          const width = x.width / op.groups;
          const part = { x, width, from: 0, fromRun: width, to, toRun: total };
          to += width;
          return part;
        });
        this.#copy(ref, op, parts, op.groups, false);
        return;
      }
      case "linear":
        throw new Error("plan: linear ops are lowered as linears");
      case "moeRoute":
      case "moeLinear":
      case "moeSum":
      case "moeScale":
        return lowerMoe(this, ref, op);
      case "conv":
      case "ssm":
      case "deltaNet":
      case "shift":
      case "wkv7":
        return lowerState(this, ref, op);
      default:
        return this.#elementwise(ref, op);
    }
  }

  /** A value that is another one under a new domain: it takes over its room. */
  #rename(ref: Ref, of: Ref): void {
    const slot = this.#slots.get(of);
    if (!slot) return;
    this.#slots.delete(of);
    this.#slots.set(ref, slot);
  }

  #embed(ref: Ref, op: Extract<Op, { op: "embed" }>): void {
    const out = this.make(ref, []);
    const { type, pieces } = this.matrix(op.table);
    for (const piece of pieces) {
      const weights = read(piece.buffer);
      const base = piece.offset / 4;
      this.calls.push(
        embed({ type, weights, base, first: piece.first, rows: piece.rows, by: op.by, offset: op.offset, out, label: op.name }),
      );
    }
  }

  #norm(ref: Ref, op: Extract<Op, { op: "rmsNorm" | "layerNorm" | "l2Norm" }>): void {
    const x = this.place(op.x);
    const weight = op.op === "l2Norm" ? undefined : op.weight;
    const out = this.make(ref, [x]);
    const length = weight === undefined ? 0 : this.input.placement.vectorLengths.get(weight)!;
    this.calls.push(
      norm({
        kind: op.op,
        x,
        out,
        group: op.group,
        eps: op.eps,
        weight: this.vector(weight),
        bias: op.op === "layerNorm" ? this.vector(op.bias) : NONE,
        perElement: length > op.group,
        label: op.name,
        layer: op.layer,
      }),
    );
  }

  #linears(ref: Ref, op: LinearsOp): void {
    let x = this.place(op.x);
    const residual = op.residual === undefined ? undefined : this.place(op.residual);
    if (x.offset % 4 !== 0 || x.stride % 4 !== 0) throw new Error(`plan: ${op.name} reads an unaligned view`);
    const out = this.make(ref, residual ? [x, residual] : [x]);
    if (op.norm && !this.matvec) {
      const normed = { ...this.scratch(x.width, [x, out], x.domain) };
      this.calls.push(
        norm({ kind: "rmsNorm", x, out: normed, group: x.width, eps: op.norm.eps, weight: this.vector(op.norm.weight), bias: NONE, perElement: false, label: "norm", layer: op.layer }),
      );
      x = normed;
    }
    const rows = this.rows(x.domain);
    const common = {
      k: x.width,
      x,
      out,
      residual,
      norm: op.norm && this.matvec ? { weight: this.vector(op.norm.weight), eps: op.norm.eps } : undefined,
      gate: op.gate,
      scale: op.scale,
      label: op.name,
      layer: op.layer,
    };
    // A segment a piece: rows of a part that one buffer holds. `row` is the output that the piece's
    // first row would make, which may lie before the part's own first output.
    let end = 0;
    const segments = op.parts.flatMap((part) => {
      const matrix = this.matrix(part.weight);
      const start = op.gate ? 0 : end;
      end = start + part.out;
      return matrix.pieces.flatMap((piece) => {
        const first = Math.max(piece.first, part.first);
        const last = Math.min(piece.first + piece.rows, part.first + part.out);
        if (first >= last) return [];
        const bias = part.bias === undefined ? NONE : this.vector(part.bias) + piece.first;
        const begin = start + first - part.first;
        const row = start + piece.first - part.first;
        return [{ matrix, buffer: piece.buffer, base: piece.offset / 4, row, bias, begin, end: begin + last - first }];
      });
    });
    type Found = (typeof segments)[number];
    const emit = (members: readonly Found[]): void => {
      const first = members[0].begin;
      const list = members.map((m): LinearSegment => ({ base: m.base, start: m.row, end: m.end, bias: m.bias }));
      const count = op.gate ? members[0].end - first : members.at(-1)!.end - first;
      this.calls.push(
        linear(
          { ...common, type: members[0].matrix.type, weights: read(members[0].buffer), segments: list, first, count },
          rows,
          this.input.tuning,
        ),
      );
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
      if (last && (last.matrix.type !== segment.matrix.type || last.buffer !== segment.buffer || open.length === 4)) {
        emit(open);
        open = [];
      }
      open.push(segment);
    }
    emit(open);
  }

  #slot(index: number): SlotLayout {
    const slot = this.input.slots[index];
    if (slot.kind !== "kv") throw new Error(`plan: slot ${index} holds no keys and values`);
    return slot;
  }

  #ropeStore(ref: Ref, op: RopeStoreOp): void {
    const q = this.place(op.q);
    const out = this.make(ref, [q]);
    const { rope: turn } = op;
    this.calls.push(
      ropeStore({
        slot: this.#slot(op.slot),
        q,
        k: this.place(op.k),
        v: this.place(op.v),
        out,
        rope: turn && {
          start: turn.start,
          rotated: turn.table.rotated,
          style: turn.style,
          angles: this.input.constants.angles(turn.table),
        },
        qNorm: this.vector(op.qNorm),
        kNorm: this.vector(op.kNorm),
        eps: op.eps,
        label: op.name,
        layer: op.layer,
      }),
    );
  }

  #attention(ref: Ref, op: Extract<Op, { op: "attention" }>): void {
    const slot = this.#slot(op.slot);
    const store = { slot, qNorm: NONE, kNorm: NONE, eps: 0, layer: op.layer };
    if (op.k !== undefined) this.calls.push(ropeStore({ ...store, k: this.place(op.k), label: "store k" }));
    if (op.v !== undefined && !slot.valueIsKeyPrefix) this.calls.push(ropeStore({ ...store, v: this.place(op.v), label: "store v" }));
    const q = this.place(op.q);
    const out = this.make(ref, [q]);
    const splits = this.matvec ? this.input.tuning.splits : 1;
    const scratch = splits > 1 ? this.scratch(scratchWidth(op.heads, splits, slot.valueWidth), [q, out], 0) : undefined;
    this.calls.push(
      ...attention({
        slot,
        q,
        out,
        scratch,
        splits,
        heads: op.heads,
        scale: op.scale,
        softcap: op.softcap,
        window: op.window,
        windowKind: op.windowKind,
        sinks: this.vector(op.sinks),
        slopes: op.alibi > 0 ? this.input.constants.alibi(op.heads, op.alibi) : NONE,
        label: op.name,
        layer: op.layer,
      }),
    );
  }

  #copy(
    ref: Ref,
    op: Op,
    parts: readonly { x: Place; width: number; from: number; fromRun: number; to: number; toRun: number }[],
    groups: number,
    select: boolean,
  ): void {
    const out = this.make(
      ref,
      parts.map((p) => p.x),
    );
    for (const part of parts) this.calls.push(copy({ ...part, out, groups, select, label: op.name, layer: op.layer }));
  }

  #elementwise(ref: Ref, op: Exclude<Op, { op: "embed" | "linear" | "attention" | "concat" }>): void {
    const base = { label: op.name, layer: op.layer };
    const emit = (a: Place, rest: Omit<ElementwiseCall, "a" | "out" | "label" | "layer">, b?: Place): void => {
      const out = this.make(ref, b ? [a, b] : [a]);
      this.calls.push(elementwise({ ...base, a, out, ...rest }));
    };
    const operand = (p: Place) => ({ buffer: p.buffer, offset: p.offset, stride: p.stride, period: p.width });
    switch (op.op) {
      case "add":
      case "mul": {
        const a = this.place(op.a);
        const b = this.place(op.b);
        return emit(a, { kind: op.op, b: operand(b), repeat: a.width / b.width }, b);
      }
      case "addWeight":
      case "mulWeight": {
        const period = this.input.placement.vectorLengths.get(op.weight)!;
        const b = { buffer: "small", offset: this.vector(op.weight), stride: 0, period };
        return emit(this.place(op.x), { kind: op.op === "addWeight" ? "add" : "mul", b });
      }
      case "scale":
        return emit(this.place(op.x), { kind: "scale", constants: [op.by, op.plus] });
      case "clamp":
        return emit(this.place(op.x), { kind: "clamp", constants: [op.min, op.max] });
      case "softcap":
        return emit(this.place(op.x), { kind: "softcap", constants: [op.cap] });
      case "activation":
        if (op.kind === "xielu") return emit(this.place(op.x), { kind: "xielu", constants: op.params });
        return emit(this.place(op.x), { kind: "activation", act: activationNumber(op.kind) });
      case "gated": {
        const gate = this.place(op.gate);
        const up = this.place(op.up);
        const constants = [op.alpha ?? 0, op.limit ?? 0];
        return emit(gate, { kind: "gated", act: activationNumber(op.kind), b: operand(up), constants }, up);
      }
      case "positionScale":
        return emit(this.place(op.x), { kind: "positionScale", constants: [op.floorScale, op.factor, op.offset] });
      default:
        throw new Error(`plan: no lowering for ${op.op}`);
    }
  }
}

const avoid = (places: readonly Place[]): Set<number> =>
  new Set(places.filter((p) => p.buffer.startsWith("arena:")).map((p) => Number(p.buffer.slice(6))));
