/** Copies of recurrent state on the device, so that a sequence can be shortened and others can begin with it. */
import type { Pool } from "../graph/pool.ts";
import type { StateLayout } from "../kernels/slot.ts";
import { advances, copyDue, snapshotBuffer } from "../plan/snapshots.ts";
import type { Row } from "../plan/steps.ts";

const NONE: readonly never[] = [];

export class StateCopies {
  readonly #slots: readonly StateLayout[];
  readonly #named: ReadonlyMap<string, GPUBuffer>;
  readonly #pool: Pool;
  readonly #sequences: number;
  readonly #slack: number;

  /** `slack`: rows of one step that may have to be taken back. */
  constructor(
    slots: readonly StateLayout[],
    named: ReadonlyMap<string, GPUBuffer>,
    pool: Pool,
    maxSequences: number,
    slack: number,
  ) {
    this.#slots = slots;
    this.#named = named;
    this.#pool = pool;
    this.#sequences = maxSequences;
    this.#slack = slack;
  }

  /** Whether the model has state at all. */
  get any(): boolean {
    return this.#slots.length > 0;
  }

  /** Copies that are due behind these rows. */
  due(rows: readonly Row[]): readonly { sequence: number; copy: number }[] {
    if (!this.any) return NONE;
    return advances(rows).flatMap((advance) => {
      const { sequence, position, count } = advance;
      this.#pool.computed(sequence, position + count);
      const due = copyDue(advance, this.#slack);
      if (!due) return [];
      return [
        { sequence, copy: this.#pool.copyState(sequence, position + count, due === "prompt") },
      ];
    });
  }

  /** Encodes the save of a sequence's state as a copy. */
  save(encoder: GPUCommandEncoder, { sequence, copy }: { sequence: number; copy: number }): void {
    this.#copy(encoder, sequence, copy, true);
  }

  /** Encodes the way back. */
  restore(encoder: GPUCommandEncoder, sequence: number, copy: number): void {
    this.#copy(encoder, sequence, copy, false);
  }

  #copy(encoder: GPUCommandEncoder, sequence: number, unit: number, save: boolean): void {
    for (const slot of this.#slots) {
      const bytes = 4 * slot.size;
      const state = { buffer: this.#named.get(slot.buffer)!, offset: sequence * bytes };
      const index = Math.floor(unit / this.#sequences);
      const copy = {
        buffer: this.#named.get(snapshotBuffer(slot, index))!,
        offset: (unit % this.#sequences) * bytes,
      };
      const [source, target] = save ? [state, copy] : [copy, state];
      encoder.copyBufferToBuffer(source.buffer, source.offset, target.buffer, target.offset, bytes);
    }
  }
}
