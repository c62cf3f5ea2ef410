/**
 * From a fused graph to a plan: the list of dispatches that a step of one row-count class replays.
 * Pure data: buffers are named, nothing is created. One plan a class; all classes share weights, cache and arena.
 */
import type { Ref } from "../graph/ops.ts";
import { argmax, argmaxScratch } from "../kernels/argmax.ts";
import { canAppend } from "../kernels/attention.ts";
import type { KernelCall, Place } from "../kernels/call.ts";
import { sample, sampleScratch } from "../kernels/sample.ts";
import { fuse } from "./fuse/index.ts";
import type { TensorFacts } from "./fuse/nodes.ts";
import { inputs } from "./fuse/ops.ts";
import { lower } from "./lower/index.ts";
import { Lowering, type PlanInput, type RowClass } from "./lower/lowering.ts";
import { expertPieces } from "./place.ts";

export interface Plan {
  readonly rowClass: RowClass;
  readonly calls: readonly KernelCall[];
  /** Calls that a step without outputs needs; the head and what follows come after. */
  readonly bodyLength: number;
  /** Calls up to the output; greedy sampling comes after. */
  readonly outputLength: number;
  /** What comes after the output in place of greedy sampling, for steps that sample otherwise: penalties first, which others leave out. */
  readonly sampling: readonly KernelCall[];
  /** f32 elements of each arena buffer. */
  readonly arena: readonly number[];
  /** Where the output of the graph stands. */
  readonly output: Place;
  /** Where given rows are put, behind how many calls; undefined where the graph takes none. */
  readonly given?: { readonly place: Place; readonly after: number };
}

export function makePlan(input: PlanInput, rowClass: RowClass): Plan {
  const fused = fuse(input.graph, tensorFacts(input), rowClass.rows, input.noFuse);
  const lowering = new Lowering(input, rowClass, fused);
  const { bodyLength, given } = lowerNodes(lowering);
  const { calls } = lowering;
  const output = lowering.place(fused.output);
  const outputLength = calls.length;
  const sampling: KernelCall[] = [];
  if (input.graph.outputKind === "logits") {
    const { maxSequences, contextLength } = input;
    const scratch = (width: number): Place => lowering.scratch(width, [output], 1);
    calls.push(...argmax(output, scratch(argmaxScratch(output.width)), maxSequences));
    sampling.push(
      ...sample(output, scratch(sampleScratch(output.width)), maxSequences, contextLength),
    );
  }
  checkCalls(calls);
  checkCalls(sampling);
  // Steps without outputs stop behind the last call that is not for output rows alone.
  const body = input.graph.selected.some(Boolean) ? bodyLength : calls.length;
  const { arena } = lowering;
  return { rowClass, calls, bodyLength: body, outputLength, sampling, arena, output, given };
}

/** Lowers node by node, in order; returns the calls up to the last that makes all rows, and where rows are given. */
function lowerNodes(lowering: Lowering): Pick<Plan, "bodyLength" | "given"> {
  const { nodes, output } = lowering.fused;
  let given: Plan["given"];
  const lastUse = new Map<Ref, number>();
  nodes.forEach(({ op }, i) => {
    for (const ref of inputs(op)) lastUse.set(lowering.base(ref), i);
  });
  lastUse.set(lowering.base(output), nodes.length);
  let bodyLength = 0;
  nodes.forEach(({ ref, op }, i) => {
    lower(lowering, ref, op);
    if (ref === lowering.input.graph.given)
      given = { place: lowering.place(ref), after: lowering.calls.length };
    if (!lowering.selected(ref)) bodyLength = lowering.calls.length;
    for (const used of [...inputs(op), ref].map((r) => lowering.base(r)))
      if ((lastUse.get(used) ?? -1) <= i) lowering.release(used);
  });
  return { bodyLength, given };
}

/** What fusion asks of the weights' placement and of the cache. */
function tensorFacts(input: PlanInput): TensorFacts {
  const { matrices, vectorLengths } = input.placement;
  return {
    type: (name) => matrices.get(name)!.type.id,
    together: (...names) => {
      const pieces = names.flatMap((name) => matrices.get(name)!.pieces);
      return pieces.length === names.length && pieces.every((p) => p.buffer === pieces[0].buffer);
    },
    expertsTogether: (a, b) => {
      const [first, second] = [expertPieces(matrices.get(a)!), expertPieces(matrices.get(b)!)];
      return first !== undefined && first.join() === second?.join();
    },
    appends: (slot, heads) => {
      const layout = input.slots[slot];
      return layout.kind === "kv" && canAppend(layout, heads, input.tuning.positions);
    },
    elements: (name) => matrices.get(name)?.tensor.elements ?? vectorLengths.get(name) ?? 0,
  };
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
