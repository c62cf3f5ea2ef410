/** What one sequence keeps between steps: contiguous keys and values, and recurrent state. */
import { floatToHalf, halfToFloat } from "../base/half.ts";
import type { CacheSlot, Graph } from "../graph/graph.ts";
import { PAGE } from "../graph/pool.ts";
import type { CacheType } from "../graph/settings.ts";
import { allocate } from "./allocate.ts";

/** Rows between snapshots of recurrent state; rows are computed in chunks that end there. */
export const snapshotRows: number = PAGE;
/** Snapshots kept, the latest ones; rewinding further starts from nothing. */
export const snapshotsKept = 4;

/** Bytes of a slot of `positions` rows; every type is held as f32. */
export const slotBytes = (slot: CacheSlot, positions: number): number =>
  4 *
  (slot.kind === "kv"
    ? positions * slot.heads * (slot.keyWidth + (slot.valueIsKeyPrefix ? 0 : slot.valueWidth))
    : slot.size);

/** Bytes of the snapshots of all sequences' states. */
export const snapshotBytes = (graph: Graph, sequences: number): number =>
  graph.slots.reduce(
    (sum, slot) => sum + (slot.kind === "kv" ? 0 : sequences * snapshotsKept * slotBytes(slot, 0)),
    0,
  );

/** Bytes of a full cache: `positions` rows of all sequences together, and the state of each with its snapshots. */
export const fullBytes = (graph: Graph, positions: number, sequences: number): number =>
  graph.slots.reduce(
    (sum, slot) => sum + slotBytes(slot, positions) * (slot.kind === "kv" ? 1 : sequences),
    snapshotBytes(graph, sequences),
  );

export type KvSlot = Extract<CacheSlot, { kind: "kv" }>;

/** Room for what a sequence keeps in a slot, whatever stands there; undefined: an array of its own. */
export type SlotRoom = (slot: number) => Float32Array | undefined;

/** Rows [positions][width] that grow; all types but f32 are stored as f16, which rounds what is written. */
export class Rows {
  readonly width: number;
  /** Whether numbers are rounded to those of 16-bit floats. */
  readonly half: boolean;
  data: Float32Array;
  /** Numbers at most. */
  readonly #most: number;

  constructor(width: number, type: CacheType, positions: number, room?: Float32Array) {
    this.width = width;
    this.#most = width * positions;
    this.half = type !== "f32";
    this.data = room ?? new Float32Array(0);
  }
  write(rows: Float32Array, position: number): void {
    this.#grow(position * this.width + rows.length);
    const stored = this.half ? rows.map((value) => halfToFloat(floatToHalf(value))) : rows;
    this.data.set(stored, position * this.width);
  }
  /** Rows as they are stored; `load` takes them back. */
  save(position: number, count: number): Float32Array {
    return this.data.slice(position * this.width, (position + count) * this.width);
  }
  load(rows: Float32Array, position: number): void {
    this.#grow(position * this.width + rows.length);
    this.data.set(rows, position * this.width);
  }
  #grow(end: number): void {
    if (end <= this.data.length) return;
    const wanted = Math.min(2 * this.data.length, end + 2 ** 22, this.#most);
    const grown = allocate(Float32Array, Math.max(end, wanted));
    grown.set(this.data);
    this.data = grown;
  }
}

/** The rows of one page: those of each key/value slot, keys and values apart. */
export type BlockRows = readonly Float32Array[];

export const floatsOf = (parts: BlockRows): number =>
  parts.reduce((sum, { length }) => sum + length, 0);

/** Keys and values of one slot. */
export class KvCache {
  readonly keys: Rows;
  /** The keys themselves where a value is a prefix of its key. */
  readonly values: Rows;

  constructor(
    slot: KvSlot,
    typeK: CacheType,
    typeV: CacheType,
    positions: number,
    room?: Float32Array,
  ) {
    const { heads, keyWidth, valueWidth, valueIsKeyPrefix } = slot;
    const border = positions * heads * keyWidth;
    const [keys, values] = [room?.subarray(0, border), room?.subarray(border)];
    this.keys = new Rows(heads * keyWidth, typeK, positions, keys);
    this.values = valueIsKeyPrefix
      ? this.keys
      : new Rows(heads * valueWidth, typeV, positions, values);
  }
}

/** One sequence: `length` rows were asked for, `computed` of them are done. */
export class Sequence {
  length = 0;
  computed = 0;
  /** The token sampled last, −1 before the first. */
  sampled = -1;
  /** The token of each row; what stands behind the last row counts for nothing. */
  readonly text: number[] = [];
  readonly #slots: readonly (KvCache | Float32Array)[];
  readonly #states: readonly Float32Array[];
  /** Some rows are being computed: state is between two positions. */
  #moving = false;

  constructor(
    graph: Graph,
    typeK: CacheType,
    typeV: CacheType,
    positions: number,
    room?: SlotRoom,
  ) {
    this.#slots = graph.slots.map((slot, i) =>
      slot.kind === "kv"
        ? new KvCache(slot, typeK, typeV, positions, room?.(i))
        : (room?.(i) ?? allocate(Float32Array, slot.size)),
    );
    this.#states = this.#slots.filter((slot) => slot instanceof Float32Array);
  }

  kv(slot: number): KvCache {
    return this.#slots[slot] as KvCache;
  }
  /** A part of a state slot; ops change it in place. */
  state(slot: number, offset: number, size: number): Float32Array {
    const all = this.#slots[slot] as Float32Array;
    return offset === 0 && size === all.length ? all : all.subarray(offset, offset + size);
  }
  get recurrent(): boolean {
    return this.#states.length > 0;
  }
  /** Bytes held. */
  get bytes(): number {
    const floats = this.#slots.reduce((sum, slot) => {
      if (slot instanceof Float32Array) return sum + slot.length;
      const values = slot.values === slot.keys ? 0 : slot.values.data.length;
      return sum + slot.keys.data.length + values;
    }, 0);
    return floats * 4;
  }

  /** Rows begin to be computed. */
  begin(): void {
    this.#moving = true;
    this.#clear();
  }
  /** In a sequence's room may stand what another one left. */
  #clear(): void {
    if (this.computed === 0) for (const state of this.#states) state.fill(0);
  }
  /** Appends rows of small random keys and values; recurrent state stays as it is. */
  fill(count: number): void {
    this.#clear();
    for (const slot of this.#slots) {
      if (slot instanceof Float32Array) continue;
      for (const rows of new Set([slot.keys, slot.values])) {
        const noise = Float32Array.from({ length: count * rows.width }, (_, i) => Math.sin(i * i));
        rows.write(noise, this.length);
      }
    }
    this.text.length = this.length;
    for (let i = 0; i < count; i++) this.text.push(0);
    this.length += count;
    this.computed = this.length;
  }

  /** Whether its state is that of no row: some are being computed, or failed. */
  get moving(): boolean {
    return this.#moving;
  }
  /** `count` more rows are done. */
  advance(count: number): void {
    this.#moving = false;
    this.computed += count;
  }
  /** Has `length` rows, whose state is at hand or brought back. */
  shorten(length: number): void {
    this.length = length;
    this.computed = length;
  }
  /** What was being computed has failed, and its state is brought back. */
  recovered(length: number): void {
    this.computed = length;
    this.#moving = false;
  }

  /** A copy of its recurrent state. */
  saveState(): BlockRows {
    return this.#states.map((state) => state.slice());
  }
  /** Goes back to a copy, or to the state of no rows. */
  loadState(copy: BlockRows | undefined): void {
    this.#states.forEach((state, i) => {
      if (copy) state.set(copy[i]);
      else state.fill(0);
    });
  }
  /** Keys and values of the first `count` rows of a block. */
  saveBlock(block: number, count: number = PAGE): BlockRows {
    return this.#rows().map((rows) => rows.save(block * PAGE, count));
  }
  loadBlock(block: number, saved: BlockRows): void {
    this.#rows().forEach((rows, i) => {
      rows.load(saved[i], block * PAGE);
    });
  }

  /** Keys and values of a slot, once where they are the same; none of state. */
  rowsOf(slot: number): Rows[] {
    const rows = this.#slots[slot];
    return rows instanceof Float32Array ? [] : [...new Set([rows.keys, rows.values])];
  }

  #rows(): Rows[] {
    return this.#slots.flatMap((_, i) => this.rowsOf(i));
  }
}
