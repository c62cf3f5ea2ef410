/** The types of a tuning, which are public; tuning.ts has the table. */
import type { LinearTuning } from "../kernels/tuning.ts";

export interface Tuning extends LinearTuning {
  /** Parts that decode attention splits a row's range into (split-K). */
  readonly splits: number;
  /** Positions that a thread of decode attention scores at a time. */
  readonly positions: number;
  /** Whether int8 activations are faster here than floats, by measurement; what `auto` asks. */
  readonly int8: boolean;
  /** Whether a norm before a decode linear is part of it: one dispatch less, but every thread reads the norm's weights. */
  readonly fuseNorm: boolean;
  /** Whether attention of one row rotates its queries and stores its key and value: one dispatch less, but every split rotates the queries. */
  readonly fuseStore: boolean;
}

/** What was measured on an adapter, by that adapter's name. */
export interface DeviceTuning extends Partial<Tuning> {
  readonly adapter: string;
}
