/** The linker: puts a shader together from the files of wgsl/. */
import { type WgslFile, wgsl } from "../../wgsl/mod.ts";
import { tableOffsets } from "../file/tables.ts";

/** What a shader is made of. Names are those of `wgsl/`, without the ending: `quant/q8_0`, `matvec`. */
export interface ShaderParts {
  /** The kernel's file. What it needs comes by itself. */
  readonly kernel: string;
  /** The snippets that vary, of those that the kernel or what it needs leaves to the host. */
  readonly snippets: readonly string[];
  /** Module constants in front, for what overrides cannot do (sizes of register tiles): u32, bool, or a constant's name. */
  readonly consts?: Readonly<Record<string, number | boolean | string>>;
}

/** Tells variants apart: everything that goes into the shader's text. */
export const variantKey = ({ kernel, snippets, consts = {} }: ShaderParts): string =>
  `${kernel}|${snippets.join(" ")}|${JSON.stringify(consts)}`;

/** Adds `name` to `files` behind everything that it needs, once. */
function add(name: string, files: Map<string, WgslFile>, path: readonly string[]): void {
  if (files.has(name)) return;
  if (path.includes(name)) throw new Error(`wgsl: ${[...path, name].join(" needs ")}`);
  const file = Object.hasOwn(wgsl, name) ? wgsl[name] : undefined;
  if (file === undefined) {
    throw new Error(`wgsl: no file ${name}.wgsl${path.length ? `, needed by ${path.at(-1)}` : ""}`);
  }
  for (const needed of file.needs ?? []) add(needed, files, [...path, name]);
  files.set(name, file);
}

/** The files of a shader in order of need, the kernel last. */
function filesOf({ snippets, kernel }: ShaderParts): Map<string, WgslFile> {
  const files = new Map<string, WgslFile>();
  for (const name of [...snippets, kernel]) add(name, files, []);
  return files;
}

const MARKED = /@unroll for\(var (\w+)=0u;\1 < (\w+);\1\+\+\)\{/;

/**
 * Loops of a constant count that are marked `@unroll` (no attribute of WGSL's), written out where the host says `UNROLL`.
 * What is indexed by a constant stays in registers; some compilers put arrays that a variable indexes into memory for the
 * whole of a kernel. Without `UNROLL` they stay loops: software adapters compile what is written out ten times as long.
 * The lines keep their numbers. A count is a number, a constant of the host, or `const NAME = A / B;` of such.
 */
function unrolled(text: string, all: string, consts: Readonly<Record<string, unknown>>): string {
  if (consts["UNROLL"] !== true) return text.replaceAll("@unroll ", "");
  const value = (name: string): number => {
    if (/^\d/.test(name)) return Number.parseInt(name, 10);
    if (Object.hasOwn(consts, name)) return Number(consts[name]);
    const [, a, b = "1u"] = new RegExp(`^const ${name}=(\\w+)(?:/(\\w+))?;`, "m").exec(all) ?? [];
    if (a === undefined) throw new Error(`wgsl: ${name} is no constant to unroll a loop by`);
    return value(a) / value(b);
  };
  let out = text;
  for (let found = MARKED.exec(out); found; found = MARKED.exec(out)) {
    const start = found.index + found[0].length;
    let end = start;
    for (let depth = 1; depth > 0; end++) depth += { "{": 1, "}": -1 }[out[end]] ?? 0;
    const body = out.slice(start, end);
    const copies = Array.from({ length: value(found[2]) }, (_, i) => {
      const lines = i === 0 ? body : body.replaceAll("\n", " ");
      return `{const ${found![1]}=${i}u;${lines}`;
    });
    out = out.slice(0, found.index) + copies.join("") + out.slice(end);
  }
  return out;
}

/** Whether a file is part of a shader. */
export const includes = (parts: ShaderParts, name: string): boolean => filesOf(parts).has(name);

/** Constants for the lookup tables that a text names: `TABLE_IQ2_XS` is the word where IQ2_XS's starts. */
function tableConsts(text: string): string[] {
  return Object.entries(tableOffsets)
    .filter(([name]) => new RegExp(`\\bTABLE_${name}\\b`).test(text))
    .map(([name, word]) => `const TABLE_${name} = ${word}u;\n`);
}

/** What stands in front of the files: enables and constants, a line each. */
function front({ consts = {} }: ShaderParts, files: ReadonlyMap<string, WgslFile>): string[] {
  const enables = new Set([...files.values()].flatMap((file) => file.enables ?? []));
  const body = Array.from(files.values(), (file) => file.text).join("");
  return [
    ...Array.from(enables, (name) => `enable ${name};\n`),
    ...Object.entries(consts).map(
      ([name, value]) => `const ${name} = ${typeof value === "number" ? `${value}u` : value};\n`,
    ),
    ...tableConsts(body),
  ];
}

/** The shader as one text: enables, constants, snippets in order of need (each once), the kernel. */
export function compose(parts: ShaderParts): string {
  const files = filesOf(parts);
  const texts = Array.from(files.values(), ({ text }) => text);
  const all = texts.join("");
  const body = all.includes("@unroll")
    ? texts.map((text) => unrolled(text, all, parts.consts ?? {}))
    : [all];
  return [...front(parts, files), ...body].join("");
}

/** Where line `line` (from 1) of a composed shader comes from: `wgsl/matvec.wgsl:41`. */
export function sourceOf(parts: ShaderParts, line: number): string {
  const files = filesOf(parts);
  let rest = line - front(parts, files).length;
  if (rest < 1) return "the constants in front";
  for (const [name, { text }] of files) {
    const lines = text.split("\n").length - 1;
    if (rest <= lines) return `wgsl/${name}.wgsl:${rest}`;
    rest -= lines;
  }
  return "the end";
}
