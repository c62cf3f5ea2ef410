/** Compiles the shaders of kernel calls, each variant once, many at the same time. */
import { WebggufError } from "../base/errors.ts";
import type { KernelCall } from "../kernels/call.ts";
import { compose, sourceOf, variantKey } from "../kernels/compose.ts";

/** GPUShaderStage.COMPUTE, which Node does not name. */
const COMPUTE = 4;

/** Layouts of group 0 and group 2; that of group 1 depends on the call. */
export interface Layouts {
  readonly step: GPUBindGroupLayout;
  readonly tables: GPUBindGroupLayout;
}

const shared = new WeakMap<GPUDevice, Pipelines>();

/** Milliseconds in which a compiler that has work enough ends a shader. */
const PROMPT = 100;
const MOST_AT_ONCE = 64;
/**
 * Shaders at the compiler, over all devices, and those that wait. A device that is destroyed waits for its own, with
 * the thread blocked, and what has begun cannot be stopped; so there are only as many as end soon.
 */
const queue = { most: 4, running: 0, waiting: [] as (() => void)[] };

/** Does the work when there is room for it, unless the signal has fired. */
async function inTurn(signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
  while (queue.running >= queue.most)
    await new Promise<void>((resolve) => void queue.waiting.push(resolve));
  queue.running++;
  const started = performance.now();
  try {
    signal?.throwIfAborted();
    await work();
    const prompt = performance.now() - started < PROMPT;
    queue.most = prompt ? Math.min(2 * queue.most, MOST_AT_ONCE) : Math.max(2, queue.most >> 1);
  } finally {
    queue.running--;
    for (const next of queue.waiting.splice(0, queue.most - queue.running)) next();
  }
}

export class Pipelines {
  readonly layouts: Layouts;
  readonly #device: GPUDevice;
  /** Rejects when the device is lost. */
  readonly #lost: Promise<never>;
  readonly #started = new Map<string, Promise<void>>();
  readonly #ready = new Map<string, GPUComputePipeline>();
  readonly #groups = new Map<string, GPUBindGroupLayout>();

  /** The pipelines of a device: a second model compiles only what the first did not need. */
  static of(device: GPUDevice): Pipelines {
    let found = shared.get(device);
    if (!found) shared.set(device, (found = new Pipelines(device)));
    return found;
  }

  private constructor(device: GPUDevice) {
    this.#device = device;
    this.#lost = device.lost.then(() => {
      throw lostMeanwhile();
    });
    this.#lost.catch(() => {});
    this.layouts = {
      step: device.createBindGroupLayout({
        label: "step",
        entries: [
          {
            binding: 0,
            visibility: COMPUTE,
            buffer: { type: "read-only-storage", hasDynamicOffset: true },
          },
          { binding: 1, visibility: COMPUTE, buffer: { type: "read-only-storage" } },
        ],
      }),
      tables: device.createBindGroupLayout({
        label: "tables",
        entries: [{ binding: 0, visibility: COMPUTE, buffer: { type: "read-only-storage" } }],
      }),
    };
  }

  /** Group 0: `size` bytes of step records, from the offset that each step sets, and the page table. */
  stepGroup(step: GPUBuffer, size: number, pages: GPUBuffer): GPUBindGroup {
    return this.#device.createBindGroup({
      label: "step",
      layout: this.layouts.step,
      entries: [
        { binding: 0, resource: { buffer: step, size } },
        { binding: 1, resource: { buffer: pages } },
      ],
    });
  }

  /** Group 2: the tables of quantised types, for the calls that read them. */
  tablesGroup(tables: GPUBuffer): GPUBindGroup {
    return this.#device.createBindGroup({
      label: "tables",
      layout: this.layouts.tables,
      entries: [{ binding: 0, resource: { buffer: tables } }],
    });
  }

  /** The layout of group 1 of a call: params, then its buffers. */
  groupLayout(call: KernelCall): GPUBindGroupLayout {
    const key = call.bindings.map((b) => b.access[0]).join("");
    let layout = this.#groups.get(key);
    if (!layout) {
      layout = this.#device.createBindGroupLayout({
        label: key,
        entries: [
          { binding: 0, visibility: COMPUTE, buffer: { type: "uniform" } },
          ...call.bindings.map(
            (b, i): GPUBindGroupLayoutEntry => ({
              binding: i + 1,
              visibility: COMPUTE,
              buffer: { type: b.access === "read" ? "read-only-storage" : "storage" },
            }),
          ),
        ],
      });
      this.#groups.set(key, layout);
    }
    return layout;
  }

  /** Compiles what is missing. Throws the driver's message with the variant's name; a fired signal begins no more. */
  async compile(
    calls: readonly KernelCall[],
    onProgress?: (done: number, total: number) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const wanted = new Map(calls.map((call) => [variantKey(call), call]));
    let done = 0;
    await Promise.all(
      [...wanted].map(async ([key, call]) => {
        if (!this.#started.has(key)) await inTurn(signal, () => this.#compiled(key, call));
        await this.#compiled(key, call);
        onProgress?.(++done, wanted.size);
      }),
    );
  }

  #compiled(key: string, call: KernelCall): Promise<void> {
    let started = this.#started.get(key);
    if (!started) {
      started = this.#compileOne(key, call);
      this.#started.set(key, started);
      started.catch(() => this.#started.delete(key)); // the next model may try again
    }
    return started;
  }

  async #compileOne(key: string, call: KernelCall): Promise<void> {
    const label = `${call.kernel} ${call.variant}`;
    const groups = [
      this.layouts.step,
      this.groupLayout(call),
      ...(call.tables ? [this.layouts.tables] : []),
    ];
    const module = this.#device.createShaderModule({ label, code: compose(call) });
    try {
      const pipeline = this.#device.createComputePipelineAsync({
        label,
        layout: this.#device.createPipelineLayout({ label, bindGroupLayouts: groups }),
        compute: { module, entryPoint: "main" },
      });
      // A device that is gone may never answer.
      this.#ready.set(key, await Promise.race([pipeline, this.#lost]));
    } catch (cause) {
      if (cause instanceof WebggufError) throw cause;
      throw await compileError(label, call, module, cause);
    }
  }

  get(call: KernelCall): GPUComputePipeline {
    return this.#ready.get(variantKey(call))!;
  }
}

/** The error for a device that went away while a model was loaded. */
export function lostMeanwhile(cause?: unknown): WebggufError {
  return new WebggufError(
    "device/lost",
    "Cannot load the model: the GPU went away meanwhile; load it again",
    { cause },
  );
}

/** The driver's own words for why a shader was refused, with the variant's name and the line in its file. */
async function compileError(
  label: string,
  call: KernelCall,
  module: GPUShaderModule,
  cause: unknown,
): Promise<WebggufError> {
  const { messages } = await module.getCompilationInfo();
  const error = messages.find((m) => m.type === "error");
  const said = error
    ? `${sourceOf(call, error.lineNum)}: ${error.message}`
    : cause instanceof Error
      ? cause.message
      : String(cause);
  return new WebggufError(
    "device/validation",
    `Cannot compile the kernel "${label}": ${firstLine(said)}; please report it with the adapter's name`,
    { cause, actual: said },
  );
}

/** wgpu begins its messages with an empty line. */
const firstLine = (text: string): string =>
  text
    .split("\n")
    .find((line) => line.trim() !== "")
    ?.trim() ?? "no reason given";
