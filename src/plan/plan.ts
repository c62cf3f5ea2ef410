/**
 * From a fused graph to a plan: the list of dispatches that a step of one row-count class replays.
 * Pure data: buffers are named, nothing is created. One plan a class; all classes share weights, cache and arena.
 */

import type { Graph, Ref } from "../graph/ops.ts";
import { SMALL_ROWS } from "../graph/requests.ts";
import { argmax, argmaxScratch } from "../kernels/argmax.ts";
import { canAppend } from "../kernels/attention.ts";
import { type Domain, type KernelCall, NONE, type Place } from "../kernels/call.ts";
import { sample, sampleScratch } from "../kernels/sample.ts";
import type { SlotLayout, StateLayout } from "../kernels/slot.ts";
import { Arena, type Slot } from "./arena.ts";
import type { Constants } from "./constants.ts";
import { type FusedGraph, fuse, inputs, type PlanOp } from "./fuse/index.ts";
import { lowerAttention, lowerRopeStore } from "./lower/attention.ts";
import { lowerConcat, lowerSelect, lowerSlice } from "./lower/copies.ts";
import { lowerElementwise } from "./lower/elementwise.ts";
import { lowerLinears } from "./lower/linears.ts";
import { expertPieces, lowerMoe } from "./lower/moe.ts";
import { lowerDot, lowerEmbed, lowerNorm, lowerRope } from "./lower/rows.ts";
import { lowerState } from "./lower/state.ts";
import type { PlacedMatrix, Placement } from "./place.ts";
import type { Settings } from "./settings.ts";

/** How many rows a plan is made for, and how many of them may have outputs. */
export interface RowClass {
  readonly rows: number;
  readonly outputs: number;
}

/** A model's graph with everything around it that its plans depend on. */
export interface PlanInput extends Settings {
  readonly graph: Graph;
  readonly placement: Placement;
  readonly slots: readonly (SlotLayout | StateLayout)[];
  readonly constants: Constants;
}

export interface Plan {
  readonly rowClass: RowClass;
  readonly calls: readonly KernelCall[];
  /** Calls that a step without outputs needs; the head and what follows come after. */
  readonly bodyLength: number;
  /** Calls up to the output; greedy sampling comes after. */
  readonly outputLength: number;
  /** What comes after the output in place of greedy sampling, for steps that draw: penalties first, which others leave out. */
  readonly drawing: readonly KernelCall[];
  /** f32 elements of each arena buffer. */
  readonly arena: readonly number[];
  /** Where the output of the graph stands. */
  readonly output: Place;
}

export function makePlan(input: PlanInput, rowClass: RowClass): Plan {
  const plan = new Lowering(input, rowClass).run();
  checkCalls(plan.calls);
  checkCalls(plan.drawing);
  return plan;
}

/** WebGPU's default limit for storage buffers of a stage; group 0 takes two of them. */
const STORAGE_BUFFERS = 8;

/** What WebGPU forbids and some runtimes do not report: a buffer read and written by one dispatch. */
export function checkCalls(calls: readonly KernelCall[]): void {
  for (const call of calls) {
    const written = call.bindings.filter((b) => b.access === "write").map((b) => b.buffer);
    const clash = call.bindings.find(
      (b, i) =>
        written.includes(b.buffer) && call.bindings.findIndex((c) => c.buffer === b.buffer) !== i,
    );
    if (clash)
      throw new Error(
        `plan: ${call.kernel} (${call.label}) binds "${clash.buffer}" twice, once for writing`,
      );
    const count = call.bindings.length + 2 + (call.tables ? 1 : 0);
    if (count > STORAGE_BUFFERS)
      throw new Error(`plan: ${call.kernel} (${call.label}) binds ${count} storage buffers`);
  }
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
  /** Values that are others of which only the output row counts, in plans of one row. */
  readonly #chosen = new Map<Ref, Ref>();

  constructor(input: PlanInput, rowClass: RowClass) {
    this.input = input;
    this.rowClass = rowClass;
    this.matvec = rowClass.rows <= SMALL_ROWS;
    const { matrices } = input.placement;
    const tensors = new Map<string, number>();
    for (const [name, m] of matrices) tensors.set(name, m.tensor.elements);
    this.fused = fuse(
      input.graph,
      {
        type: (name) => matrices.get(name)!.type.id,
        together: (...names) => {
          const pieces = names.flatMap((name) => matrices.get(name)!.pieces);
          return (
            pieces.length === names.length && pieces.every((p) => p.buffer === pieces[0].buffer)
          );
        },
        expertsTogether: (a, b) => {
          const [first, second] = [expertPieces(matrices.get(a)!), expertPieces(matrices.get(b)!)];
          return first !== undefined && first.join() === second?.join();
        },
        appends: (slot, heads) => {
          const layout = input.slots[slot];
          return layout.kind === "kv" && canAppend(layout, heads, input.tuning.positions);
        },
        elements: (name) => tensors.get(name) ?? input.placement.vectorLengths.get(name) ?? 0,
      },
      rowClass.rows,
      input.noFuse,
    );
  }

  run(): Plan {
    const { nodes, output } = this.fused;
    if (this.rowClass.rows === 1)
      for (const { ref, op } of nodes) if (op.op === "select") this.#chosen.set(ref, op.x);
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
    const drawing: KernelCall[] = [];
    if (this.input.graph.outputKind === "logits") {
      const { maxSequences, contextLength } = this.input;
      const scratch = (width: number): Place => this.scratch(width, [place], 1);
      this.calls.push(...argmax(place, scratch(argmaxScratch(place.width)), maxSequences));
      drawing.push(
        ...sample(place, scratch(sampleScratch(place.width)), maxSequences, contextLength),
      );
    }
    return {
      rowClass: this.rowClass,
      calls: this.calls,
      bodyLength: this.causalBody(bodyLength),
      outputLength,
      drawing,
      arena: this.#arena.sizes,
      output: place,
    };
  }

  /** Steps without outputs stop after the last call that is not for output rows only. */
  causalBody(length: number): number {
    return this.input.graph.selected.some(Boolean) ? length : this.calls.length;
  }

  /** The value in whose room a value stands: of views, and of the only row of a step when it is chosen. */
  base(ref: Ref): Ref {
    const of = this.fused.values[ref].view?.of ?? this.#chosen.get(ref);
    return of === undefined ? ref : this.base(of);
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
    const place: Place = {
      buffer: `arena:${slot.buffer}`,
      offset: slot.offset,
      stride,
      width,
      domain,
    };
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
        return lowerLinears(this, ref, op);
      case "linear":
        throw new Error("plan: linear ops are lowered as linears");
      case "ropeStore":
        return lowerRopeStore(this, ref, op);
      case "attention":
        return lowerAttention(this, ref, op);
      case "embed":
        return lowerEmbed(this, ref, op);
      case "rmsNorm":
      case "layerNorm":
      case "l2Norm":
        return lowerNorm(this, ref, op);
      case "rope":
        return lowerRope(this, ref, op);
      case "select":
        return lowerSelect(this, ref, op);
      case "slice":
        return lowerSlice(this, ref, op);
      case "concat":
        return lowerConcat(this, ref, op);
      case "moeLinear":
      case "headLinear":
        throw new Error(`plan: ${op.op} ops are lowered as experts`);
      case "dot":
        return lowerDot(this, ref, op);
      case "moeRoute":
      case "experts":
      case "expertLists":
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
        return lowerElementwise(this, ref, op);
    }
  }

  /** Makes `ref` the value `of` under the domain of output rows; both stand in the same room. */
  alias(ref: Ref, of: Ref): void {
    this.#places.set(ref, { ...this.place(of), domain: 1 });
  }
}

const avoid = (places: readonly Place[]): Set<number> =>
  new Set(
    places.filter((p) => p.buffer.startsWith("arena:")).map((p) => Number(p.buffer.slice(6))),
  );
