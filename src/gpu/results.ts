/** Results on their way to the host: output rows and sampled tokens, copied with the submit that computes them. */
import type { StepResult } from "../graph/requests.ts";
import type { Plan } from "../plan/plan.ts";
import type { Buffers } from "../platform/buffers.ts";
import { Readback } from "./readback.ts";

/** Bytes on their way. */
interface Copy {
  readonly staging: GPUBuffer;
  readonly bytes: number;
}

/** A step that waits for its results. */
export interface Awaiting {
  /** Where its plan leaves output rows, and how many of them it has. */
  readonly output: Plan["output"];
  readonly outputs: number;
  readonly read: boolean;
  readonly sample: boolean;
  readonly resolve: (result: StepResult) => void;
  readonly reject: (error: unknown) => void;
}

export class Results {
  readonly #device: GPUDevice;
  readonly #named: ReadonlyMap<string, GPUBuffer>;
  readonly #readback: Readback;
  /** Where the tokens of a submit begin: behind the latest token of every sequence. */
  readonly #firstToken: number;

  /** `check` throws when the device or its owner is gone. */
  constructor(
    device: GPUDevice,
    buffers: Buffers,
    named: ReadonlyMap<string, GPUBuffer>,
    maxSequences: number,
    check: () => void,
  ) {
    this.#device = device;
    this.#named = named;
    this.#readback = new Readback(buffers, check);
    this.#firstToken = maxSequences;
  }

  /** Encodes the copy of a step's output rows, behind the step itself. */
  copyRows(encoder: GPUCommandEncoder, { output, outputs }: Awaiting): Copy {
    return this.#copy(encoder, output.buffer, 4 * output.offset, 4 * output.stride * outputs);
  }

  /** Encodes the copy of `count` sampled tokens, behind all steps of a submit. */
  copyTokens(encoder: GPUCommandEncoder, count: number): Copy {
    return this.#copy(encoder, "sampled", 4 * this.#firstToken, 4 * count);
  }

  /** Brings the results of a submit back and settles its steps; `rows` are those of the steps that read, in order. */
  async deliver(
    steps: readonly Awaiting[],
    rows: readonly Copy[],
    tokens: Copy | undefined,
  ): Promise<void> {
    try {
      // Steps without results are done when their work is.
      if (!tokens && rows.length === 0) await this.#device.queue.onSubmittedWorkDone();
      // All maps are asked for before the first is waited for.
      const sampled = tokens && this.#readback.bring(tokens.staging, tokens.bytes);
      let floats: readonly ArrayBuffer[] = [];
      if (rows.length > 0) {
        sampled?.catch(() => {}); // waited for below
        floats = await Promise.all(rows.map((r) => this.#readback.bring(r.staging, r.bytes)));
      }
      const ids = sampled && new Int32Array(await sampled);
      let at = 0;
      let read = 0;
      for (const step of steps) {
        const count = step.sample ? step.outputs : 0;
        step.resolve({
          rows: step.read ? withoutPadding(new Float32Array(floats[read++]), step) : undefined,
          tokens: ids && step.sample ? ids.subarray(at, at + count) : undefined,
        });
        at += count;
      }
    } catch (error) {
      for (const step of steps) step.reject(error);
    }
  }

  #copy(encoder: GPUCommandEncoder, buffer: string, offset: number, bytes: number): Copy {
    const staging = this.#readback.take(bytes);
    encoder.copyBufferToBuffer(this.#named.get(buffer)!, offset, staging, 0, bytes);
    return { staging, bytes };
  }
}

function withoutPadding(values: Float32Array, { output, outputs }: Awaiting): Float32Array {
  const { stride, width } = output;
  if (stride === width) return values;
  const rows = new Float32Array(width * outputs);
  for (let r = 0; r < outputs; r++)
    rows.set(values.subarray(r * stride, r * stride + width), r * width);
  return rows;
}
