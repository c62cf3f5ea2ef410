/** The shape of a tuning; apart from the table, because it is part of the public types. */
import type { LinearTuning } from "../kernels/tuning.ts";

export interface Tuning extends LinearTuning {
  /** Parts into which a row's range is cut in decode attention. */
  readonly splits: number;
  /** Positions that a thread of decode attention scores at a time. */
  readonly positions: number;
  /** Whether int8 activations are faster here than floats, by measurement; what `auto` asks. */
  readonly int8: boolean;
  /** Whether a norm before a decode linear is part of it: a dispatch less, its weights read by every thread. */
  readonly fuseNorm: boolean;
  /** Whether attention of one row turns its queries and stores its key and value: a dispatch less, queries turned by every split. */
  readonly fuseStore: boolean;
}

/** What was measured on an adapter, and that adapter's name. */
export interface DeviceTuning extends Partial<Tuning> {
  readonly adapter: string;
}
