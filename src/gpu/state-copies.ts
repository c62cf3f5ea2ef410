/** Copies of recurrent state on the device, so that a sequence can be shortened. */
import type { StateLayout } from "../kernels/slot.ts";
import { advances, Snapshots, snapshotBuffer } from "../plan/snapshots.ts";
import type { Row } from "../plan/steps.ts";

const NONE: readonly never[] = [];

export class StateCopies {
  readonly #slots: readonly StateLayout[];
  readonly #named: ReadonlyMap<string, GPUBuffer>;
  readonly #snapshots: Snapshots;

  /** `slack`: rows of one step that may have to be taken back. */
  constructor(
    slots: readonly StateLayout[],
    named: ReadonlyMap<string, GPUBuffer>,
    maxSequences: number,
    slack: number,
  ) {
    this.#slots = slots;
    this.#named = named;
    this.#snapshots = new Snapshots(maxSequences, slack);
  }

  /** Whether the model has state at all. */
  get any(): boolean {
    return this.#slots.length > 0;
  }

  /** Copies that are due behind these rows. */
  due(rows: readonly Row[]): readonly { sequence: number; index: number }[] {
    if (!this.any) return NONE;
    return advances(rows).flatMap((advance) => {
      const index = this.#snapshots.advance(advance);
      return index === undefined ? [] : [{ sequence: advance.sequence, index }];
    });
  }

  /** Encodes the save of copy `index` of a sequence's state. */
  save(encoder: GPUCommandEncoder, { sequence, index }: { sequence: number; index: number }): void {
    this.#copy(encoder, sequence, index, true);
  }

  /** Brings back the state of at most `length` rows, if need be through `encoder`; returns of how many. */
  rewind(sequence: number, length: number, encoder: () => GPUCommandEncoder): number {
    const { length: reached, restore } = this.#snapshots.rewind(sequence, length);
    if (restore !== undefined) this.#copy(encoder(), sequence, restore, false);
    return reached;
  }

  #copy(encoder: GPUCommandEncoder, sequence: number, index: number, save: boolean): void {
    for (const slot of this.#slots) {
      const bytes = 4 * slot.size;
      const state = this.#named.get(slot.buffer)!;
      const copy = this.#named.get(snapshotBuffer(slot, index))!;
      const [source, target] = save ? [state, copy] : [copy, state];
      encoder.copyBufferToBuffer(source, sequence * bytes, target, sequence * bytes, bytes);
    }
  }
}
