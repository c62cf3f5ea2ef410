/** The tables of bench:isa. Pure. */
import { quantByName } from "../../src/file/quants.ts";
import type { CollectedCase } from "./collect.ts";
import type { Figures } from "./figures.ts";
import { gpus } from "./gpus.ts";
import type { Listing } from "./listing.ts";

export interface Measured extends CollectedCase {
  readonly gpu: string;
  /** Undefined where the driver gives no statistics. */
  readonly figures?: Figures;
  readonly listing?: Listing;
  /** Cache lines for 4,096 weights, or for 64 keys and values. */
  readonly lines?: number;
}

/** What --json writes and --compare reads: by GPU and kernel, {@link columns}. */
export type Then = Readonly<Record<string, readonly number[]>>;
const columns = [
  ...["loop", "alu", "registers", "spills", "scratch", "waves", "/weight", "/MAC", "lines"],
];

const widths = (some: Readonly<Record<string, number>>): string =>
  Object.entries(some)
    .map(([bits, n]) => `${n}x${bits}`)
    .join(" ") || "-";

type Column = readonly [
  title: string,
  width: number,
  value: (one: Measured, figures: Figures) => string | number,
];
const shown: readonly Column[] = [
  ["rows", 4, (r) => r.rows],
  ["kernel", 42, (r) => `${r.kernel} ${r.variant}`.slice(0, 42)],
  ["x", 3, (r) => r.count],
  ["regs", 4, (_, f) => f.registers],
  ["spill", 5, (_, f) => f.spills],
  ["scratch", 7, (_, f) => f.scratch],
  ["shared", 6, (_, f) => f.shared],
  ["waves", 5, (_, f) => f.waves],
  ["instr", 5, (_, f) => f.instructions],
  ["loop", 5, (_, f) => f.loop?.instructions ?? "-"],
  ["alu", 5, (_, f) => f.loop?.valu ?? "-"],
  ["loads (n x bits)", 20, (_, f) => (f.loop ? widths(f.loop.widths) : "-")],
  ["shared loads", 14, (_, f) => (f.loop ? widths(f.loop.ldsWidths) : "-")],
  ["/weight", 7, (_, f) => f.perWeight?.toFixed(2) ?? "-"],
  ["/MAC", 5, (_, f) => f.slotsPerProduct?.toFixed(2) ?? "-"],
  ["lines", 5, (r) => r.lines?.toFixed(0) ?? "-"],
];

/** A table for each GPU and model; `more` gives lines below a kernel's. */
export function table(
  results: readonly Measured[],
  more?: (one: Measured) => readonly string[],
): string {
  const out: string[] = [];
  const group = (r: Measured): string => `${r.gpu} ${r.model}`;
  for (const name of new Set(results.map(group))) {
    const some = results.filter((one) => group(one) === name);
    const [{ gpu, model }] = some;
    out.push("", `${gpu} (${gpus[gpu].what}), ${model || "shaders"}`);
    out.push(shown.map(([title, width]) => title.padEnd(width)).join(" "));
    for (const one of some) {
      const { figures } = one;
      if (!figures) continue;
      const cells = shown.map(([, width, value]) => String(value(one, figures)).padEnd(width));
      out.push(cells.join(" ").trimEnd(), ...(more?.(one) ?? []));
    }
  }
  return out.join("\n");
}

/** Every loop of a kernel. */
export function details({ listing, figures }: Measured): string[] {
  const loops = (listing?.loops ?? []).map(
    (loop) =>
      `     ${"  ".repeat(loop.depth)}loop: ${loop.instructions} instructions (${loop.valu} alu, ${loop.salu} scalar, ${loop.vmem} loads ${widths(loop.widths)}, ${loop.lds} shared ${widths(loop.ldsWidths)}, ${loop.smem} constant, ${loop.scratch} scratch, ${loop.wait} waits)`,
  );
  const ops = Object.entries(figures?.loop?.ops ?? {}).sort((a, b) => b[1] - a[1]);
  return [
    ...loops,
    `     ${ops
      .slice(0, 24)
      .map(([op, n]) => `${op} ${n}`)
      .join(", ")}`,
  ];
}

/** What instructions and look-ups allow of the memory's speed, and of the arithmetic's in matrix products. */
export function roofline(results: readonly Measured[]): string {
  const out = [
    "",
    "GB/s of weights that instructions and look-ups of cache lines allow, of the memory's",
  ];
  for (const { gpu, figures, lines, kernel, variant, rows } of results) {
    const { tera, gbps, clocks } = gpus[gpu];
    const type = quantByName(variant.split(" ")[0]);
    if (!figures?.slotsPerWeight || !figures.slotsPerProduct || !type) continue;
    const name = `${gpu.padEnd(7)} x${String(rows).padEnd(3)} ${`${kernel} ${variant}`.padEnd(34)}`;
    if (/matvec/i.test(kernel)) {
      const bytes = type.bytes / type.elements;
      const byCode = ((1000 * tera) / figures.slotsPerWeight) * bytes;
      const byLines = lines ? (4096 * bytes * clocks) / lines : Number.POSITIVE_INFINITY;
      const low = Math.min(byCode, byLines);
      const bound = low >= gbps ? "" : byCode < byLines ? "  <- instructions" : "  <- look-ups";
      const lookups = lines ? byLines.toFixed(0) : "-";
      out.push(
        `${name} ${byCode.toFixed(0).padStart(5)} ${lookups.padStart(5)} of ${gbps}${bound}`,
      );
    } else {
      const share = (100 / figures.slotsPerProduct).toFixed(0);
      out.push(
        `${name} ${figures.slotsPerProduct.toFixed(2)} issue slots a product: ${share}% of f32`,
      );
    }
  }
  return out.join("\n");
}

/** What changed since a baseline. */
export function compared(results: readonly Measured[], then: Then): string {
  const out = ["", `then -> now (${columns.join(", ")})`];
  const done = new Set<string>();
  for (const { gpu, name, figures: f, lines = 0 } of results) {
    const key = `${gpu} ${name}`;
    const was = then[key];
    if (!f || !was || done.has(key)) continue;
    done.add(key);
    const { registers, spills, scratch, waves } = f;
    const now = [f.loop?.instructions ?? 0, f.loop?.valu ?? 0, registers, spills, scratch, waves];
    now.push(f.perWeight ?? 0, f.slotsPerProduct ?? 0, lines);
    const changes = columns.flatMap((column, i) =>
      Math.abs(was[i] - now[i]) > 0.006 * Math.max(1, was[i])
        ? [`${column} ${was[i]} -> ${Math.round(100 * now[i]) / 100}`]
        : [],
    );
    if (changes.length > 0) out.push(`${key}: ${changes.join(", ")}`);
  }
  return out.length > 2 ? out.join("\n") : `${out.join("\n")}\nnothing`;
}
