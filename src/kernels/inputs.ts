/** Host side of lib/inputs.wgsl and of state: what the kernels of recurrent ops have in common. */
import { type Binding, NONE, type Place, read, write } from "./call.ts";

/** Distinct buffers that a kernel with lib/inputs.wgsl reads. */
export const MAX_INPUTS = 4;

/** Where the state of an op stands: f32 elements. */
export interface StatePlace {
  readonly buffer: string;
  /** Of the op's part in a sequence's state. */
  readonly offset: number;
  /** Of a whole sequence. */
  readonly size: number;
}

/** What every kernel of a recurrent op is given. */
export interface StateCall {
  readonly state: StatePlace;
  readonly out: Place;
  /** The most runs of rows that a step has. */
  readonly runs: number;
  readonly label: string;
  readonly layer: number;
}

/** A value, or a vector of the small buffer by its f32 index (NONE: there is none). */
export type Source = Place | number;

/** Assigns sources to the four input bindings. Throws when they stand in more than four buffers. */
export class Inputs {
  readonly #buffers: string[] = [];

  /** A source as lib/inputs.wgsl takes it: buffer, offset, stride, and 1, or zeros when there is none. */
  source(source: Source): readonly [number, number, number, number] {
    if (source === NONE) return [0, 0, 0, 0];
    const place =
      typeof source === "number" ? { buffer: "small", offset: source, stride: 0 } : source;
    let index = this.#buffers.indexOf(place.buffer);
    if (index < 0) index = this.#buffers.push(place.buffer) - 1;
    return [index, place.offset, place.stride, 1];
  }

  /** Group 1 from binding 1 on: the inputs, the result, the state. */
  bindings(call: StateCall): Binding[] {
    if (this.#buffers.length > MAX_INPUTS) {
      throw new Error(`plan: ${call.label} reads ${this.#buffers.length} buffers`);
    }
    const inputs = Array.from({ length: MAX_INPUTS }, (_, i) =>
      read(this.#buffers[i] ?? this.#buffers[0]),
    );
    return [...inputs, write(call.out.buffer), write(call.state.buffer)];
  }
}

/** Threads of a workgroup of the scanning kernels. */
export const SCAN_THREADS = 64;
/** Elements of a line of state that a thread has in registers, where the line's length allows. */
const IN_REGISTERS = 16;

/** Threads that share a line of `length` elements of state: a power of two that divides it. */
export function scanLanes(length: number): number {
  let lanes = 1;
  while (length / lanes > IN_REGISTERS && length % (2 * lanes) === 0 && lanes < SCAN_THREADS)
    lanes *= 2;
  return lanes;
}
