/** Keeps a model in WebAssembly memory, where its kernels compute. */
import type { Executor } from "../../graph/executor.ts";
import type { Graph } from "../../graph/graph.ts";
import type { RopeTable } from "../../graph/ops.ts";
import type { ComputeOptions } from "../../graph/settings.ts";
import type { CpuOps } from "../ops/context.ts";
import type { ValueRoom } from "../run.ts";
import { snapshotBytes } from "../sequence.ts";
import { floatBytes, type MatrixStore, type WeightPlan } from "../weights.ts";
import type { Room } from "./kernels.ts";
import { type Layout, planLayout } from "./layout.ts";
import { bytesOf, WasmMatrix } from "./matrix.ts";
import { wasmOps } from "./ops/index.ts";
import { type Places, productsAtOnce } from "./place.ts";
import { makeRooms, rareFor } from "./rooms.ts";
import { threadsFor } from "./threads/start.ts";

export { threadsFor };

/** What matrices take, and what is used besides them and `other` bytes. */
const heldBy = (
  { used, weights }: Places,
  other: number,
): Pick<MatrixStore, "bytes" | "scratch"> => ({
  bytes: weights,
  scratch: used - weights - other,
});

/** Bytes that a model will take, told before anything is allocated. */
export function neededFor(
  graph: Graph,
  plan: WeightPlan,
  options: ComputeOptions,
): Executor["memory"] {
  const { places, cache } = planLayout(graph, plan, options);
  const vectors = floatBytes(plan.vectors);
  const { bytes, scratch } = heldBy(places, cache + vectors);
  const { maxSequences = 1 } = options;
  // Each sequence has room for a whole context; snapshots of states stand elsewhere.
  const copies = snapshotBytes(graph, maxSequences);
  return { weights: bytes + vectors, cache: cache + copies, arena: scratch };
}

/** Where a whole model is: its matrices and vectors, its values, what its sequences keep, and the ops on them. */
export interface WasmHome {
  readonly store: MatrixStore;
  readonly ops: CpuOps;
  readonly room: ValueRoom;
  /**
   * To be called once when the weights are read: decides whether helpers stay. Resolves with the number of threads,
   * and with why there are no helpers where they could not start.
   */
  settle(): Promise<{ readonly threads: number; readonly trouble?: string }>;
  /** Ends the helpers. */
  end(): void;
}

/** Helpers stay if the model is so many times as fast with them. */
const leastGain = 1.2;

/**
 * @param memoryBytes bytes of a memory, at most
 * @param gain what helpers must be worth to stay
 */
export async function wasmHome(
  graph: Graph,
  plan: WeightPlan,
  options: ComputeOptions,
  memoryBytes?: number,
  gain: number = leastGain,
): Promise<WasmHome> {
  const layout = planLayout(graph, plan, options, memoryBytes);
  const { places } = layout;
  const rare = await rareFor(plan.matrices, graph.ops);
  const rooms = await makeRooms(plan.matrices, places, threadsFor(options.threads), rare);
  const { pool } = rooms[0] ?? {};
  const { vectors, angles, slots, values } = views(plan, layout, rooms);
  return {
    store: {
      ...heldBy(places, layout.cache + floatBytes(plan.vectors)),
      room: (info) => bytesOf(info, places.pieces.get(info.name) ?? [], rooms),
      matrix: (info) => new WasmMatrix(info, places, rooms),
      vector: ({ name }) => vectors.get(name),
    },
    ops: wasmOps(rooms, places, angles, rare),
    room: {
      make: values,
      slot: (sequence, slot) => slots[sequence * graph.slots.length + slot],
    },
    async settle() {
      const trouble = await pool?.settle(sample(plan, places, rooms), gain);
      return { threads: pool?.threads ?? 1, trouble };
    },
    end: () => pool?.end(),
  };
}

/** Products of about a millisecond, by which threads are judged. */
function sample(plan: WeightPlan, places: Places, rooms: readonly Room[]): () => void {
  const [largest] = [...plan.matrices].sort((a, b) => b.bytes - a.bytes);
  if (!largest) return () => {};
  const matrix = new WasmMatrix(largest, places, rooms);
  const out = Math.min(matrix.rows, productsAtOnce, Math.ceil(2 ** 22 / matrix.width));
  const product = { first: 0, out, from: 0, to: out };
  return () => matrix.multiplyAt(places.scratch.x, 1, product, places.scratch.y);
}

function views(plan: WeightPlan, { places, values, tables }: Layout, rooms: readonly Room[]) {
  const [{ at: base }, ...areas] = places.areas;
  const floats = areas.map(({ memory, at, bytes }) =>
    memory < 0 ? undefined : new Float32Array(rooms[memory].buffer, at, bytes / 4),
  );
  const next = (): Float32Array => floats.shift() as Float32Array;
  const vectors = new Map(
    plan.vectors.map(({ name, elements }) => [name, next().subarray(0, elements)]),
  );
  const angles = new Map<RopeTable, Float32Array>(tables.map((table) => [table, next()]));
  const made: Float32Array[] = [];
  return {
    vectors,
    angles,
    slots: floats,
    values: (at: number, length: number): Float32Array => {
      let own = made[at];
      if (own?.length !== length) {
        own = new Float32Array(rooms[0].buffer, base + values[at], length);
        made[at] = own;
      }
      return own;
    },
  };
}
