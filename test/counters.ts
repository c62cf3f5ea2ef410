/**
 * Counts what a program asks of WebGPU by wrapping the prototypes of its classes from outside,
 * in Node, Deno and browsers. The engine knows nothing of it.
 */

/** Calls since the last reset; a dispatch is one whether its grid is direct or indirect. */
export interface Counts {
  dispatches: number;
  submits: number;
  createBuffer: number;
  createBindGroup: number;
  createPipeline: number;
  writeBuffer: number;
  /** Bytes of buffers mapped for reading. */
  bytesRead: number;
}

export interface Counter {
  /** The counts so far, as a copy. */
  counts(): Counts;
  /** Starts again from zero. */
  reset(): void;
  /** Takes the wrappers off. */
  stop(): void;
}

const zero: Counts = {
  dispatches: 0,
  submits: 0,
  createBuffer: 0,
  createBindGroup: 0,
  createPipeline: 0,
  writeBuffer: 0,
  bytesRead: 0,
};

const readMode = 1;
const mapReadAndCopyTarget = 0x9;

type Method = (this: unknown, ...values: never[]) => unknown;

/** Wraps the classes of `device`; counts every device of the process or page until stopped. */
export function countCalls(device: GPUDevice): Counter {
  const counts: Counts = { ...zero };
  const undo: (() => void)[] = [];

  /** Wraps a method on the prototype of `object`; `note` runs with the arguments before it. */
  function wrap<T extends object>(
    object: T,
    name: keyof T & string,
    note: (self: T, values: readonly unknown[]) => void,
  ): void {
    const holder = owner(object, name);
    const original = Object.getOwnPropertyDescriptor(holder, name)!;
    const method = original.value as Method;
    Object.defineProperty(holder, name, {
      ...original,
      value(this: T, ...values: never[]): unknown {
        note(this, values);
        return method.apply(this, values);
      },
    });
    undo.push(() => Object.defineProperty(holder, name, original));
  }

  // One of each class, made before anything is counted.
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.end();
  device.queue.submit([encoder.finish()]);
  const buffer = device.createBuffer({ size: 4, usage: mapReadAndCopyTarget });
  buffer.destroy();

  wrap(pass, "dispatchWorkgroups", () => counts.dispatches++);
  wrap(pass, "dispatchWorkgroupsIndirect", () => counts.dispatches++);
  wrap(device.queue, "submit", () => counts.submits++);
  wrap(device.queue, "writeBuffer", () => counts.writeBuffer++);
  wrap(device, "createBuffer", () => counts.createBuffer++);
  wrap(device, "createBindGroup", () => counts.createBindGroup++);
  wrap(device, "createComputePipeline", () => counts.createPipeline++);
  wrap(device, "createComputePipelineAsync", () => counts.createPipeline++);
  wrap(buffer, "mapAsync", (self, [mode, offset = 0, size]) => {
    if (((mode as number) & readMode) === 0) return;
    counts.bytesRead += (size as number | undefined) ?? self.size - (offset as number);
  });

  return {
    counts: () => ({ ...counts }),
    reset(): void {
      Object.assign(counts, zero);
    },
    stop(): void {
      for (const one of undo.splice(0)) one();
    },
  };
}

/** The object on the prototype chain that holds the method. */
function owner(object: object, name: string): object {
  let holder: object | null = object;
  while (holder !== null && !Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder);
  if (holder === null) throw new Error(`WebGPU has no ${name} here`);
  return holder;
}
