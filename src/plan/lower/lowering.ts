/** What lowering an op may ask and do: where values and weights stand, room for results, and the list of calls. */
import type { Graph } from "../../graph/graph.ts";
import type { Ref } from "../../graph/ops.ts";
import { SMALL_ROWS } from "../../graph/requests.ts";
import { type Domain, type KernelCall, NONE, OUTPUT_ROWS, type Place } from "../../kernels/call.ts";
import type { SlotLayout, StateLayout } from "../../kernels/slot.ts";
import { Arena, type Slot } from "../arena.ts";
import type { Constants } from "../constants.ts";
import type { FusedGraph } from "../fuse/nodes.ts";
import type { PlanOp, PlanOpOf } from "../fuse/ops.ts";
import type { PlacedMatrix, Placement } from "../place.ts";
import type { Settings } from "../settings.ts";

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

/** Values are placed when they are made and released after their last reader. */
export class Lowering {
  readonly input: PlanInput;
  readonly rowClass: RowClass;
  readonly matvec: boolean;
  readonly fused: FusedGraph;
  readonly calls: KernelCall[] = [];
  readonly #arena = new Arena();
  readonly #slots = new Map<Ref, Slot>();
  readonly #places = new Map<Ref, Place>();
  /** In plans of one row: the input of each select, whose only row is the output row. */
  readonly #chosen = new Map<Ref, Ref>();

  constructor(input: PlanInput, rowClass: RowClass, fused: FusedGraph) {
    this.input = input;
    this.rowClass = rowClass;
    this.fused = fused;
    this.matvec = rowClass.rows <= SMALL_ROWS;
    if (rowClass.rows !== 1) return;
    for (const { ref, op } of fused.nodes) if (op.op === "select") this.#chosen.set(ref, op.x);
  }

  /** f32 elements of each arena buffer. */
  get arena(): readonly number[] {
    return this.#arena.sizes;
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
    return domain === OUTPUT_ROWS ? this.rowClass.outputs : this.rowClass.rows;
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

  /** Frees the room of a value that nobody reads any more. */
  release(ref: Ref): void {
    const slot = this.#slots.get(ref);
    if (!slot) return;
    this.#arena.free(slot);
    this.#slots.delete(ref);
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

  /** Makes `ref` the value `of` under the domain of output rows; both stand in the same room. */
  alias(ref: Ref, of: Ref): void {
    this.#places.set(ref, { ...this.place(of), domain: OUTPUT_ROWS });
  }
}

const avoid = (places: readonly Place[]): Set<number> =>
  new Set(
    places.filter((p) => p.buffer.startsWith("arena:")).map((p) => Number(p.buffer.slice(6))),
  );

/** Adds the calls that make the value `ref`. */
export type Lower<K extends PlanOp["op"]> = (plan: Lowering, ref: Ref, op: PlanOpOf<K>) => void;

/** How some ops are lowered, by their names. */
export type LoweringsOf<K extends PlanOp["op"]> = { readonly [P in K]: Lower<P> };
