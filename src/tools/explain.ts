/** The plans of a model as plain data: what each step dispatches. */
import type { ModelFile } from "../file/types.ts";
import { type ExplainRow, explainPlan } from "../plan/explain.ts";
import { fusionNames } from "../plan/fuse/index.ts";
import { planOf } from "../session/memory.ts";
import type { LoadOptions } from "../session/types.ts";

export interface Explanation {
  /** The adapter that this is planned for. */
  readonly adapter: string;
  readonly architecture: string;
  /** Names that `noFuse` takes. */
  readonly fusions: readonly string[];
  /** One plan for each class of row counts, smallest first. */
  readonly plans: readonly ExplainedPlan[];
}

export interface ExplainedPlan {
  /** Rows that a step of this plan has at most. */
  readonly rows: number;
  readonly dispatches: readonly ExplainRow[];
}

/** Plans a file for the adapter at hand, with `options` as for loading; reads no tensor data. */
export async function explain(file: ModelFile, options: LoadOptions = {}): Promise<Explanation> {
  const { plan, capabilities } = await planOf(file, options);
  return {
    adapter: capabilities.name,
    architecture: file.metadata.string("general.architecture"),
    fusions: fusionNames,
    plans: plan.plans.map((one) => ({
      rows: one.rowClass.rows,
      dispatches: explainPlan(one),
    })),
  };
}
