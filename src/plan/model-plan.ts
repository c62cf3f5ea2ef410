/** What a model will allocate on a device, by owner, before anything is: pure sums over the plans. */
import { WebggufError } from "../base/errors.ts";
import type { ModelFile } from "../file/types.ts";
import type { Graph } from "../graph/graph.ts";
import { PAGE, type PoolShape, tableStride } from "../graph/pool.ts";
import { SMALL_ROWS } from "../graph/requests.ts";
import type { SlotLayout, StateLayout } from "../kernels/slot.ts";
import type { Capabilities } from "../platform/capabilities.ts";
import { layoutSlot, ringsOf } from "./cache-layout.ts";
import { type Constants, collectConstants } from "./constants.ts";
import type { RowClass } from "./lower/lowering.ts";
import { type Placement, placeWeights } from "./place.ts";
import { makePlan, type Plan } from "./plan.ts";
import { type PlanOptions, resolveSettings, type Settings } from "./settings.ts";
import { SNAPSHOTS, snapshotBuffer } from "./snapshots.ts";
import { slotBytes } from "./steps.ts";

/** Everything that can be decided without a device. */
export interface ModelPlan {
  readonly settings: Settings;
  readonly placement: Placement;
  readonly slots: readonly (SlotLayout | StateLayout)[];
  readonly pool: PoolShape;
  readonly constants: Constants;
  /** Plans for one row, for 2 to 8, for a prefill chunk, and for a chunk whose every row has an output. */
  readonly plans: readonly Plan[];
  /** Buffers to make besides the weights: name → bytes. */
  readonly buffers: ReadonlyMap<string, number>;
  readonly memory: { readonly weights: number; readonly cache: number; readonly arena: number };
}

/** Output rows of a chunk that wants all of them: as many as 32 MiB of outputs hold. */
const ALL_OUTPUT_BYTES = 32 << 20;

export function rowClasses(graph: Graph, chunk: number): RowClass[] {
  const width = graph.widths[graph.output];
  const all = Math.max(SMALL_ROWS, Math.min(chunk, Math.floor(ALL_OUTPUT_BYTES / (4 * width))));
  const classes = [
    { rows: 1, outputs: 1 },
    { rows: SMALL_ROWS, outputs: SMALL_ROWS },
  ];
  if (chunk > SMALL_ROWS) classes.push({ rows: chunk, outputs: SMALL_ROWS });
  if (all > SMALL_ROWS) classes.push({ rows: all, outputs: all });
  return classes;
}

/** What the plan of a model will be on a device with these capabilities. */
export function planFor(
  graph: Graph,
  file: ModelFile,
  { capabilities }: { readonly capabilities: Capabilities },
  options: PlanOptions,
): ModelPlan {
  return planModel(graph, file, resolveSettings(options, capabilities));
}

function planModel(graph: Graph, file: ModelFile, settings: Settings): ModelPlan {
  const placement = placeWeights(graph, file, settings.maxPieceBytes);
  const rings = ringsOf(graph.slots, settings);
  const slots = graph.slots.map((slot, i) => layoutSlot(slot, i, settings, rings));
  const constants = collectConstants(graph, settings.contextLength, placement.smallLength);
  const plans = rowClasses(graph, settings.chunk).map((rowClass) =>
    makePlan({ ...settings, graph, placement, slots, constants }, rowClass),
  );
  const buffers = new Map<string, number>();
  for (const plan of plans) {
    plan.arena.forEach((size, i) => {
      buffers.set(`arena:${i}`, Math.max(buffers.get(`arena:${i}`) ?? 0, 4 * size));
    });
  }
  const largest = settings.maxBinding;
  for (const slot of slots) {
    if (slot.bytes > largest) {
      throw new WebggufError(
        "device/limit",
        `Cannot cache ${settings.contextLength} tokens: a layer needs ${slot.bytes} bytes, the device binds ${largest}; use a smaller context or cache type`,
        { expected: largest, actual: slot.bytes },
      );
    }
    buffers.set(slot.buffer, slot.bytes);
    if (slot.kind === "state")
      for (let i = 0; i < SNAPSHOTS; i++) buffers.set(snapshotBuffer(slot, i), slot.bytes);
  }
  const most = Math.max(...plans.map((p) => p.rowClass.rows));
  const results = Math.max(settings.stepsInFlight * 8, ...plans.map((p) => p.rowClass.outputs));
  buffers.set("small", 4 * Math.max(4, placement.smallLength + constants.slopes.length));
  buffers.set("angles", 8 * Math.max(1, constants.anglesLength));
  buffers.set("sampled", 4 * (settings.maxSequences + results));
  buffers.set("history", 4 * settings.maxSequences * settings.contextLength);
  buffers.set("spare", 16);
  const { contextLength, maxSequences } = settings;
  const copies = slots.some(({ kind }) => kind === "state") ? SNAPSHOTS : 0;
  const pages = slots.map((slot) => (slot.kind === "kv" ? 4 * PAGE * slot.rowWords : 4));
  // A copy within a buffer goes through another.
  buffers.set("page", Math.max(4, ...pages));
  buffers.set("pages", 4 * tableStride(contextLength, rings) * maxSequences);
  buffers.set("step", Math.max(slotBytes(SMALL_ROWS) * settings.stepsInFlight, slotBytes(most)));
  let cache = 0;
  let arena = 0;
  for (const [name, bytes] of buffers) {
    if (name.startsWith("cache:")) cache += bytes;
    else arena += bytes;
  }
  arena += 256 * plans.reduce((sum, p) => sum + p.calls.length + p.sampling.length, 0);
  return {
    settings,
    placement,
    slots,
    pool: { contextLength, maxSequences, rings, copies, promptCopies: 1 },
    constants,
    plans,
    buffers,
    memory: { weights: placement.bytes, cache, arena },
  };
}
