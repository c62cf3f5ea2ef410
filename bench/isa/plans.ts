/** The kernels of some plans, each once, as the engine makes them from a random model's header. */
import type { ByteSource } from "../../src/base/source.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufHeader } from "../../src/gguf/write.ts";
import type { CacheType } from "../../src/graph/settings.ts";
import type { KernelCall } from "../../src/kernels/call.ts";
import { variantKey } from "../../src/kernels/compose.ts";
import { buildGraph } from "../../src/models/index.ts";
import { planFor } from "../../src/plan/model-plan.ts";
import { tuningFor } from "../../src/plan/tuning.ts";
import type { Tuning } from "../../src/plan/tuning-types.ts";
import type { Capabilities } from "../../src/platform/types.ts";
import { randomModel, shapes } from "../models.ts";

export interface PlanSettings {
  /** SHAPE:TYPE[:int8] as bench/models.ts names them. */
  readonly plans: readonly string[];
  readonly context: number;
  readonly cache: CacheType;
  readonly tuning?: Partial<Tuning>;
  /** Of "PLAN xROWS KERNEL VARIANT". */
  readonly filter?: string;
}

export interface PlannedKernel {
  readonly model: string;
  /** Of the plan: 1, 8 or 512. */
  readonly rows: number;
  readonly call: KernelCall;
  /** How often the plan has it. */
  readonly count: number;
}

/** A plan has each kind of layer in its first eight. */
const LAYERS = 8;

async function planned(name: string, settings: PlanSettings, capabilities: Capabilities) {
  const [shape, type, ...flags] = name.split(":");
  const model = randomModel({ shape: { ...shapes[shape], layers: LAYERS }, type });
  const { bytes, size } = ggufHeader(model);
  const source: ByteSource = {
    name: shape,
    size,
    async read(offset, length) {
      // Weights are never read: zeros will do.
      const piece = new Uint8Array(length);
      piece.set(bytes.subarray(offset, Math.min(bytes.length, offset + length)));
      return piece;
    },
    async *stream() {},
    async close() {},
  };
  const file = await readGguf(source);
  const { context, cache, tuning } = settings;
  const adapter = capabilities.name;
  return planFor(
    buildGraph(file, { contextLength: context }),
    file,
    { capabilities },
    {
      contextLength: context,
      cacheTypeK: cache,
      cacheTypeV: cache,
      int8: flags.includes("int8") ? "on" : "off",
      tuning: [{ ...tuningFor(capabilities), ...tuning, adapter }],
    },
  );
}

/** What identifies a kernel in tables and baselines. */
export const nameOf = ({ model, rows, call }: Pick<PlannedKernel, "model" | "rows" | "call">) =>
  `${model} x${rows} ${call.kernel} ${call.variant} ${call.label}`;

/** The kernels of the plans for 1, 8 and 512 rows on a device with these capabilities. */
export async function plannedKernels(
  settings: PlanSettings,
  capabilities: Capabilities,
): Promise<PlannedKernel[]> {
  const wanted = new RegExp(settings.filter ?? "", "i");
  const found = new Map<string, { -readonly [K in keyof PlannedKernel]: PlannedKernel[K] }>();
  for (const model of settings.plans)
    for (const plan of (await planned(model, settings, capabilities)).plans.slice(0, 3))
      for (const call of [...plan.calls, ...plan.sampling]) {
        const { rows } = plan.rowClass;
        if (!wanted.test(`${model} x${rows} ${call.kernel} ${call.variant}`)) continue;
        const key = `${model} ${rows} ${variantKey(call)}`;
        const had = found.get(key);
        if (had) had.count++;
        else found.set(key, { model, rows, call, count: 1 });
      }
  return [...found.values()];
}
