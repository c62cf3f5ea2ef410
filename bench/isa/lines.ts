/**
 * How many cache lines a kernel's loads touch. No compiler says this: the shader itself runs for one workgroup with
 * every load written down, and the addresses of 32 threads are put side by side.
 *
 * A first-level cache looks up about one line of 128 bytes a clock, so the sum is the least number of clocks that a
 * compute unit (SM, core) needs for that work. It is a bound, not a measurement, and it knows no hit from a miss.
 */
import { quantTables } from "../../src/file/grids.ts";
import { Pipelines } from "../../src/gpu/pipelines.ts";
import { encodeParams, type KernelCall } from "../../src/kernels/call.ts";
import { compose } from "../../src/kernels/compose.ts";
import { encodeStep, type Row, slotBytes } from "../../src/plan/steps.ts";
import { Buffers, BufferUsage, MapMode } from "../../src/platform/buffers.ts";
import type { Gpu } from "../../src/platform/types.ts";

const LINE = 128;
const THREADS = 32;

/** A load of one thread: where in the shader's text, and the bytes that it takes. */
export interface Load {
  readonly site: number;
  readonly at: number;
  readonly bytes: number;
}

/**
 * Lines that the loads of `threads` touch, 32 threads at a time: for each load of the text, and each time that it is
 * reached, the distinct lines over the threads. What all of them have loaded before is in a register.
 */
export function linesOf(threads: readonly (readonly Load[])[]): number {
  let lines = 0;
  for (let first = 0; first < threads.length; first += THREADS) {
    const reached = new Map<string, Load[]>();
    for (const loads of threads.slice(first, first + THREADS)) {
      const times = new Map<number, number>();
      for (const load of loads) {
        const time = times.get(load.site) ?? 0;
        times.set(load.site, time + 1);
        const key = `${load.site} ${time}`;
        const together = reached.get(key);
        if (together) together.push(load);
        else reached.set(key, [load]);
      }
    }
    const known = new Set<string>();
    for (const together of reached.values()) {
      const addresses = together.map(({ at }) => at).join();
      const buffer = together[0].site >> 16;
      if (known.has(`${buffer} ${addresses}`)) continue;
      known.add(`${buffer} ${addresses}`);
      const touched = new Set<number>();
      for (const { at, bytes } of together)
        for (let byte = 0; byte < bytes; byte += 4) touched.add(Math.floor((at + byte) / LINE));
      lines += touched.size;
    }
  }
  return lines;
}

/** Loads that a thread may write down; kernels with more of them have no figure. */
const ROOM = 1 << 14;
const BYTES: Readonly<Record<string, number>> = {
  u32: 4,
  f32: 4,
  "vec2<f32>": 8,
  "vec4<f32>": 16,
  "vec4<u32>": 16,
};

/** The place behind the bracket that closes the one before `from`. */
function closing(text: string, from: number): number {
  let depth = 1;
  let at = from;
  for (; depth > 0; at++) depth += text[at] === "[" ? 1 : text[at] === "]" ? -1 : 0;
  return at;
}

/** A shader whose loads from group 1 are written down, and how many bytes each of its buffers' elements has. */
export function instrumented(code: string): { code: string; sizes: readonly number[] } {
  const alias = (type: string): string =>
    new RegExp(`alias ${type}=([^;]+);`).exec(code.replace(/\s*=\s*/g, "="))?.[1] ?? type;
  const found = Array.from(
    code.matchAll(/@group\(1\)\s*@binding\(\d+\)\s*var<storage,[^>]*>\s*(\w+):\s*array<(.+?)>;/g),
    ([, name, type]) => ({ name, bytes: BYTES[alias(type)] ?? 4 }),
  ).filter(({ name }) => name !== "out");
  let site = 0;
  const replaced = (text: string): string => {
    const load = new RegExp(`(?<![\\w.])(${found.map(({ name }) => name).join("|")})\\[`, "g");
    let out = "";
    let at = 0;
    for (let match = load.exec(text); match; match = load.exec(text)) {
      const end = closing(text, load.lastIndex);
      const inner = replaced(text.slice(load.lastIndex, end - 1));
      const stored = /^\s*=[^=]/.test(text.slice(end, end + 8));
      const buffer = found.findIndex(({ name }) => name === match![1]);
      const index = stored ? inner : `seen(${buffer * 65536 + site++}u, ${inner})`;
      out += `${text.slice(at, match.index)}${match[1]}[${index}]`;
      at = load.lastIndex = end;
    }
    return out + text.slice(at);
  };
  const [head, body] = replaced(code).split(/(?<=\bfn main\([^{]*\)\s*\{)/);
  const text = `${head}
seen_thread = thread;${body}
@group(3) @binding(0) var<storage, read_write> seen_log: array<vec2<u32>>;
var<private> seen_thread: u32;
var<private> seen_count: u32;
fn seen(site: u32, index: u32) -> u32 {
  if (seen_count < ${ROOM}u) { seen_log[seen_thread * ${ROOM}u + seen_count] = vec2(site + 1u, index); }
  seen_count++;
  return index;
}
`;
  return { code: text, sizes: found.map(({ bytes }) => bytes) };
}

/** Rows of a step whose last position is `position`. */
const rowsUpTo = (count: number, position: number): Row[] =>
  Array.from({ length: count }, (_, i) => {
    const at = position - count + 1 + i;
    return { sequence: 0, position: at, token: 0, end: at + 1, output: true };
  });

/** What the 64 threads of a call's first workgroup load in a step of `rows` rows; undefined = too much. */
export async function loadsOf(
  gpu: Gpu,
  call: KernelCall,
  rows: number,
  position: number,
): Promise<Load[][] | undefined> {
  const { device } = gpu;
  const pipelines = Pipelines.of(device);
  const { code, sizes } = instrumented(compose(call));
  const { storage, uniform, copyTarget, copySource, mapRead } = BufferUsage;
  const buffers = new Buffers(gpu);
  const made = (contents: Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, usage: number) => {
    const buffer = buffers.allocate("isa", Math.max(256, contents.byteLength), usage | copyTarget);
    device.queue.writeBuffer(buffer, 0, contents);
    return buffer;
  };
  const layout = (type: GPUBufferBindingType) =>
    device.createBindGroupLayout({ entries: [{ binding: 0, visibility: 4, buffer: { type } }] });
  try {
    const bytes = 64 * ROOM * 8;
    const log = buffers.allocate("log", bytes, storage | copySource);
    const staging = buffers.allocate("staging", bytes, mapRead | copyTarget);
    const logs = layout("storage");
    const nothing = device.createBindGroupLayout({ entries: [] });
    const group = pipelines.groupLayout(call);
    const pipeline = await device.createComputePipelineAsync({
      layout: device.createPipelineLayout({
        bindGroupLayouts: [
          pipelines.layouts.step,
          group,
          call.tables ? pipelines.layouts.tables : nothing,
          logs,
        ],
      }),
      compute: { module: device.createShaderModule({ code }) },
    });
    const words = new Uint32Array(slotBytes(rows) / 4);
    encodeStep(words, 0, rowsUpTo(rows, position), 0);
    const pages = made(
      Uint32Array.from({ length: 4096 }, (_, i) => i),
      storage,
    );
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, pipelines.stepGroup(made(words, storage), words.byteLength, pages), [0]);
    const entries = call.bindings.map((_, i) => ({
      binding: i + 1,
      // Addresses do not depend on what is read, and the cache's clamp comes behind them.
      resource: { buffer: buffers.allocate("dummy", 1 << 16, storage) },
    }));
    const params = { binding: 0, resource: { buffer: made(encodeParams(call), uniform) } };
    pass.setBindGroup(1, device.createBindGroup({ layout: group, entries: [params, ...entries] }));
    if (call.tables) pass.setBindGroup(2, pipelines.tablesGroup(made(quantTables(), storage)));
    else pass.setBindGroup(2, device.createBindGroup({ layout: nothing, entries: [] }));
    const entry = { binding: 0, resource: { buffer: log } };
    pass.setBindGroup(3, device.createBindGroup({ layout: logs, entries: [entry] }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(log, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MapMode.read);
    const seen = new Uint32Array(staging.getMappedRange());
    const threads = Array.from({ length: 64 }, (_, thread) => {
      const loads: Load[] = [];
      for (let i = 0; i < ROOM; i++) {
        const at = 2 * (thread * ROOM + i);
        if (seen[at] === 0) break;
        const site = seen[at] - 1;
        const size = sizes[site >> 16];
        loads.push({ site, at: size * seen[at + 1], bytes: size });
      }
      return loads;
    });
    gpu.check();
    return threads.some((loads) => loads.length === ROOM) ? undefined : threads;
  } finally {
    buffers.disposeAll();
  }
}

/** Weights that the first workgroup of a call reads, or 64 for each key that it scores; undefined for kernels without a figure. */
function shareOf(call: KernelCall, rows: number, context: number): number | undefined {
  const { kernel, consts = {}, params } = call;
  const number = (name: string): number => Number(consts[name]);
  const k = Number(params["k"]);
  if (kernel === "matvec") return (number("WG") / number("LANES")) * number("WEIGHT_ROWS") * k;
  if (kernel === "moeMatvec") return (number("WG") / number("LANES")) * 4 * k;
  if (kernel === "matmul" || kernel === "matmulInt8") return (4096 / (8 * number("TILE_Y"))) * k;
  // What the lists of experts say decides what the others read.
  if (kernel === "moeMatmul" && consts["ROUTED"] === false) return 32 * number("PARTS") * k;
  if (kernel === "attention") return Math.ceil(context / number("SPLITS") / 32) * 32 * 64;
  return kernel === "attentionTile" ? (context - rows + 8) * 64 : undefined;
}

/** Lines that a call looks up for 4,096 weights or, in attention at `context` positions, for 64 keys and values. */
export async function linesFor(
  gpu: Gpu,
  call: KernelCall,
  rows: number,
  context: number,
): Promise<number | undefined> {
  const share = shareOf(call, rows, context);
  if (share === undefined) return undefined;
  const loads = await loadsOf(gpu, call, rows, context - 1);
  return loads && (linesOf(loads) * 4096) / share;
}
