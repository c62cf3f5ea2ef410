/** Sees every buffer that is made, by label, and whether it was destroyed, from outside of the engine. */

export interface Watch {
  /** Buffers made since the start and not destroyed, by label in order of making. */
  live(): { readonly label: string; readonly buffer: GPUBuffer }[];
  /** Buffers made since the start. */
  made(): number;
  stop(): void;
}

/** The object on the prototype chain that holds the method. */
function owner(object: object, name: string): object {
  let holder: object | null = object;
  while (holder !== null && !Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder);
  if (holder === null) throw new Error(`WebGPU has no ${name} here`);
  return holder;
}

/** Wraps createBuffer and destroy on their prototypes until stopped. */
export function watchBuffers(device: GPUDevice): Watch {
  const sample = device.createBuffer({ size: 16, usage: 0x8 });
  const [devices, buffers] = [owner(device, "createBuffer"), owner(sample, "destroy")];
  sample.destroy();
  const create = Object.getOwnPropertyDescriptor(devices, "createBuffer") as PropertyDescriptor;
  const destroy = Object.getOwnPropertyDescriptor(buffers, "destroy") as PropertyDescriptor;
  const live = new Map<GPUBuffer, string>();
  let made = 0;
  Object.defineProperty(devices, "createBuffer", {
    ...create,
    value(this: GPUDevice, descriptor: GPUBufferDescriptor): GPUBuffer {
      const buffer: GPUBuffer = create.value.call(this, descriptor);
      live.set(buffer, descriptor.label ?? "");
      made++;
      return buffer;
    },
  });
  Object.defineProperty(buffers, "destroy", {
    ...destroy,
    value(this: GPUBuffer): void {
      live.delete(this);
      destroy.value.call(this);
    },
  });
  return {
    live: () => [...live].map(([buffer, label]) => ({ buffer, label })),
    made: () => made,
    stop() {
      Object.defineProperty(devices, "createBuffer", create);
      Object.defineProperty(buffers, "destroy", destroy);
    },
  };
}

/** Fills what holds values between the dispatches of a step with NaN. */
export function poisonArena(device: GPUDevice, watch: Watch): void {
  const arena = watch.live().filter(({ label }) => label.startsWith("arena:"));
  if (arena.length === 0) throw new Error("no arena buffer was made");
  for (const { buffer } of arena)
    device.queue.writeBuffer(buffer, 0, new Uint32Array(buffer.size / 4).fill(0x7fc00000));
}
