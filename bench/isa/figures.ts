/** What is worth knowing of a pipeline: from a driver's statistics and from the code of its largest loop. Pure. */
import type { IsaGpu } from "./gpus.ts";
import type { Counts, Listing, Loop } from "./listing.ts";

/** What tells how much work a turn of a kernel's loop does. */
interface Kernel {
  readonly kernel: string;
  readonly consts: Readonly<Record<string, number | boolean | string>>;
}

export interface Figures {
  readonly registers: number;
  readonly spills: number;
  /** Bytes of memory that stand in for registers. */
  readonly scratch: number;
  readonly shared: number;
  /** As the driver counts them: waves a SIMD, warps an SM, threads a core. */
  readonly waves: number;
  readonly instructions: number;
  /** Of the largest loop; inner loops as often as they turn. */
  readonly loop?: Pick<Counts, "instructions" | "valu" | "vmem" | "widths" | "ldsWidths" | "ops">;
  /** Instructions of the loop for a weight that a thread reads. */
  readonly perWeight?: number;
  /** Issue slots for a weight, and for a product: AMD counts VALU and a quarter of VMEM, the others all but waits. */
  readonly slotsPerWeight?: number;
  readonly slotsPerProduct?: number;
}

/** Weights that a thread reads in a turn of the loop, and products with them. */
function workOf({ kernel, consts }: Kernel): { weights: number; products: number } | undefined {
  const number = (name: string): number => Number(consts[name] ?? 0);
  const tile = 8 * number("TILE_Y");
  if (kernel === "matvec") {
    const weights = number("WEIGHTS") || 32 * number("WEIGHT_ROWS");
    return { weights, products: weights * number("ROWS") };
  }
  if (kernel === "moeMatvec") return { weights: 128, products: 128 };
  if (kernel === "moeMatmul")
    return { weights: 16 * number("PARTS"), products: 512 * number("PARTS") };
  if (kernel === "matmul") return { weights: ((4096 / tile) * 16) / 64, products: 64 * 16 };
  if (kernel === "matmulInt8") return { weights: ((4096 / tile) * 32) / 64, products: 64 * 32 };
  return undefined;
}

/** How often a loop inside the largest one turns; drivers unroll such loops or not as they like. */
function turnsOf({ kernel, consts }: Kernel, loop: Loop): number {
  if (loop.instructions < 16 || consts["WEIGHTS"] !== undefined) return 1; // what a driver makes of lanes that go separate ways
  const tile = 8 * Number(consts["TILE_Y"] ?? 0);
  if (kernel === "matvec" || kernel === "moeMatvec") return 2; // halves of 32 columns
  if (kernel === "moeMatmul") return loop.vmem === 0 ? 8 : 4; // eighths of 32 columns; quads of x
  if (kernel === "matmul") {
    // Quarters of 16 columns, or their rows too.
    if (loop.vmem === 0) return loop.valu < 200 && consts["UNROLL"] !== true ? 32 : 4;
    const bits = Object.entries(loop.widths).reduce(
      (sum, [width, n]) => sum + Number(width) * n,
      0,
    );
    return bits <= 128 ? tile / 16 : 4096 / tile / 64;
  }
  if (kernel === "matmulInt8")
    return loop.vmem === 0 ? (loop.valu < 200 ? 16 : 2) : (2 * 4096) / tile / 64;
  return 1;
}

const summed = ["instructions", "valu", "vmem", "wait"] as const;

/** The largest loop with what its inner loops do in all their turns. */
function hotLoop(about: Kernel, loops: readonly Loop[]): Loop | undefined {
  const outer = loops.filter((loop) => loop.depth === 0);
  const hot = outer.reduce<Loop | undefined>(
    (best, loop) => (loop.instructions > (best?.instructions ?? 0) ? loop : best),
    undefined,
  );
  if (!hot) return undefined;
  const inner = loops.filter((loop) => loop.parents.includes(hot.id));
  const around = (loop: Loop): Loop[] => inner.filter(({ id }) => loop.parents.includes(id));
  /** A loop in a loop turns as often as both say; its instructions stand in the outer one's count once already. */
  const factor = (loop: Loop): number =>
    [loop, ...around(loop)].reduce((product, one) => product * turnsOf(about, one), 1);
  const sum = { ...hot, widths: { ...hot.widths }, ldsWidths: { ...hot.ldsWidths } };
  for (const loop of inner) {
    const parent = around(loop).sort((a, b) => b.depth - a.depth)[0];
    const more = factor(loop) - (parent ? factor(parent) : 1);
    for (const key of summed) sum[key] += more * loop[key];
    for (const key of ["widths", "ldsWidths"] as const)
      for (const [bits, n] of Object.entries(loop[key])) sum[key][bits] += more * n;
  }
  return sum;
}

/** A driver's statistics by its own names. */
export type Statistics = Readonly<Record<string, number>>;

export function figuresOf(
  gpu: IsaGpu,
  about: Kernel,
  statistics: Statistics,
  listing: Listing | undefined,
): Figures {
  const first = (...names: string[]): number =>
    names.map((name) => statistics[name]).find((value) => value !== undefined) ?? 0;
  const loop = hotLoop(about, listing?.loops ?? []);
  const work = workOf(about);
  const slots =
    loop && (gpu.style === "amd" ? loop.valu + loop.vmem / 4 : loop.instructions - loop.wait);
  return {
    registers: first("VGPRs", "Number of GPRs", "GPRs", "Registers used"),
    // Scalar registers of AMD's too, which are cheap.
    spills:
      first("Spilled VGPRs", "Spills") +
      first("Spilled SGPRs", "Spills to memory") +
      first("Spills to reg", "STP Count"),
    scratch: first("Scratch size", "SLM size", "Scratch"),
    shared: first("LDS size"),
    waves: first("Subgroups per SIMD", "Max warps/SM", "Threads", "Max Waves Per Core"),
    instructions: first("Instructions", "Instruction count", "Instruction Count"),
    ...(loop && { loop }),
    ...(loop && work && { perWeight: loop.instructions / work.weights }),
    ...(slots && work && { slotsPerWeight: slots / work.weights }),
    ...(slots && work && { slotsPerProduct: slots / work.products }),
  };
}
