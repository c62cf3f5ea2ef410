/**
 * Counts and times what a program asks of WebGPU by wrapping the prototypes of its classes from
 * outside, in Node, Deno and browsers. What is measured knows nothing of it.
 */
import { Buffers, BufferUsage, MapMode } from "./buffers.ts";

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

/** Wraps the classes of `device`; counts every device of the process or page until stopped. */
export function countCalls(device: GPUDevice): Counter {
  const counts: Counts = { ...zero };
  // One of each class, made before anything is counted.
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.end();
  device.queue.submit([encoder.finish()]);
  const buffers = new Buffers({ device, capabilities: { name: "", limits: {} } });
  const buffer = buffers.allocate("counters", 4, BufferUsage.mapRead | BufferUsage.copyTarget);
  buffers.disposeAll();

  const undo = [
    before(pass, "dispatchWorkgroups", () => counts.dispatches++),
    before(pass, "dispatchWorkgroupsIndirect", () => counts.dispatches++),
    before(device.queue, "submit", () => counts.submits++),
    before(device.queue, "writeBuffer", () => counts.writeBuffer++),
    before(device, "createBuffer", () => counts.createBuffer++),
    before(device, "createBindGroup", () => counts.createBindGroup++),
    before(device, "createComputePipeline", () => counts.createPipeline++),
    before(device, "createComputePipelineAsync", () => counts.createPipeline++),
    before(buffer, "mapAsync", (self, [mode, offset = 0, size]) => {
      if (((mode as number) & MapMode.read) === 0) return;
      counts.bytesRead += (size as number | undefined) ?? self.size - (offset as number);
    }),
  ];
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

export interface HostClock {
  /** For each submit the milliseconds that the host spent on it, writes since the one before included. */
  spans(): readonly number[];
  stop(): void;
}

/**
 * Times the host's part of submits: queue.writeBuffer, and all that happens between
 * createCommandEncoder and the return of queue.submit, which must follow in the same task. Calls in
 * between are not wrapped, so that timing them costs next to nothing.
 */
export function timeSubmits(device: GPUDevice): HostClock {
  const spans: number[] = [];
  let writes = 0;
  let began = 0;
  const undo = [
    before(device, "createCommandEncoder", () => {
      began = performance.now();
    }),
    around(device.queue, "submit", (run) => {
      const result = run();
      spans.push(writes + performance.now() - began);
      writes = 0;
      return result;
    }),
    around(device.queue, "writeBuffer", (run) => {
      const start = performance.now();
      const result = run();
      writes += performance.now() - start;
      return result;
    }),
  ];
  return {
    spans: () => spans,
    stop(): void {
      for (const one of undo.splice(0)) one();
    },
  };
}

type Method = (this: unknown, ...values: never[]) => unknown;

/** `note` runs with the object and the arguments before the method; returns what takes it off. */
function before<T extends object>(
  object: T,
  name: keyof T & string,
  note: (self: T, values: readonly unknown[]) => void,
): () => void {
  return around(object, name, (run, self, values) => {
    note(self, values);
    return run();
  });
}

/** Puts a function in place of a method on the prototype of `object`; returns what takes it off. */
function around<T extends object>(
  object: T,
  name: keyof T & string,
  replacement: (run: () => unknown, self: T, values: readonly unknown[]) => unknown,
): () => void {
  const holder = owner(object, name);
  const original = Object.getOwnPropertyDescriptor(holder, name)!;
  const method = original.value as Method;
  Object.defineProperty(holder, name, {
    ...original,
    value(this: T, ...values: never[]): unknown {
      return replacement(() => method.apply(this, values), this, values);
    },
  });
  return () => Object.defineProperty(holder, name, original);
}

/** The object on the prototype chain that holds the method. */
function owner(object: object, name: string): object {
  let holder: object | null = object;
  while (holder !== null && !Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder);
  if (holder === null) throw new Error(`WebGPU has no ${name} here`);
  return holder;
}
