/** The linker: puts a shader together from the files of wgsl/. */
import { wgsl } from "../../wgsl/mod.ts";
import { tableOffsets } from "../file/tables.ts";

/** What a shader is made of. Names are those of `wgsl/`, without the ending: `quant/q8_0`, `matvec`. */
export interface ShaderParts {
  /** WGSL extensions to enable, such as `f16` or `subgroups`. */
  enables?: readonly string[];
  /** Snippets that the kernel is written against; what these need comes by itself. */
  snippets: readonly string[];
  /** The kernel's file. */
  kernel: string;
  /** Module constants in front, for what overrides cannot do (sizes of register tiles). */
  consts?: Readonly<Record<string, number | boolean | string>>;
}

/** Tells variants apart: everything that goes into the shader's text. */
export const variantKey = ({ kernel, snippets, consts = {} }: ShaderParts): string =>
  `${kernel}|${snippets.join(" ")}|${JSON.stringify(consts)}`;

/** The names in a text's first line `// needs: a, b`, or none. */
function needs(text: string): string[] {
  const list = /^\/\/ needs:([^\n]*)/.exec(text)?.[1] ?? "";
  return list.split(",").flatMap((name) => name.trim() || []);
}

/** Adds `name` to `parts` behind everything that it needs, once. */
function add(name: string, parts: Map<string, string>, path: readonly string[]): void {
  if (parts.has(name)) return;
  if (path.includes(name)) throw new Error(`wgsl: ${[...path, name].join(" needs ")}`);
  const text = Object.hasOwn(wgsl, name) ? wgsl[name] : undefined;
  if (text === undefined) {
    throw new Error(`wgsl: no file ${name}.wgsl${path.length ? `, needed by ${path.at(-1)}` : ""}`);
  }
  for (const needed of needs(text)) add(needed, parts, [...path, name]);
  parts.set(name, text);
}

/** Constants for the lookup tables that a text names: `TABLE_IQ2_XS` is the word where IQ2_XS's starts. */
function tableConsts(text: string): string[] {
  return Object.entries(tableOffsets)
    .filter(([name]) => new RegExp(`\\bTABLE_${name}\\b`).test(text))
    .map(([name, word]) => `const TABLE_${name} = ${word}u;\n`);
}

/** The shader as one text: enables, constants, snippets in order of need (each once), the kernel. */
export function compose({ enables = [], snippets, kernel, consts = {} }: ShaderParts): string {
  const parts = new Map<string, string>();
  for (const name of [...snippets, kernel]) add(name, parts, []);
  const body = [...parts.values()].join("");
  return [
    ...enables.map((name) => `enable ${name};\n`),
    ...Object.entries(consts).map(([name, value]) => `const ${name} = ${value};\n`),
    ...tableConsts(body),
    body,
  ].join("");
}
