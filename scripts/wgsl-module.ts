/** The text of wgsl/mod.ts from the .wgsl files, and what is wrong with these. Pure. */

/** A member of a kernel's `struct Params`: name and WGSL type. */
type Field = readonly [name: string, type: string];

/** The types that a member may have, and what the host gives for them. */
const hostTypes: Readonly<Record<string, string>> = {
  u32: "number",
  i32: "number",
  f32: "number",
  "vec2<u32>": "Two",
  "vec4<u32>": "Four",
  "vec4<f32>": "Four",
};

/** What a snippet of quant/ may offer besides `decode`. */
const offers = ["i8", "scaled", "minimum", "pairs-32", "pairs-64", "spread"];

/** What a .wgsl file says of itself. */
export interface File {
  readonly name: string;
  /** Without comments and indentation; the lines keep their numbers. */
  readonly text: string;
  /** Files that it is written against. */
  readonly needs: readonly string[];
  /** Files of which the host chooses: names, or all of a folder as `quant/*`. */
  readonly varies: readonly string[];
  readonly offers: readonly string[];
  readonly enables: readonly string[];
}

/** The names in a file's line `// key: a, b`, or none. */
function listed(source: string, key: string): string[] {
  const list = new RegExp(`^// ${key}:([^\\n]*)`, "m").exec(source)?.[1] ?? "";
  return list.split(",").flatMap((name) => name.trim() || []);
}

function parse(name: string, source: string): File {
  const bare = source.replace(/\/\/.*$/gm, "").replace(/^[ \t]+|[ \t\r]+$/gm, "");
  return {
    name,
    text: bare.replace(/^enable [^\n]*;$/gm, ""),
    needs: listed(source, "needs"),
    varies: listed(source, "varies"),
    offers: listed(source, "offers"),
    enables: Array.from(bare.matchAll(/^enable (\w+);$/gm), (match) => match[1]!),
  };
}

/** WGSL without the spaces that separate nothing; no two tokens become one. */
export const narrow = (text: string): string =>
  text
    .replace(/[ \t]*([,;{}()])[ \t]*/g, "$1")
    .replace(/: /g, ":")
    .replace(/([^>/\s]) ([-=+*/]|[=!<>+*|-]=|&&|\|\||<<|>>) (?![-+*/=&])/g, "$1$2");

/** The files, and what does not fit together among them: an error that names the file. */
export class Files {
  readonly #files = new Map<string, File>();

  constructor(sources: ReadonlyMap<string, string>) {
    for (const name of [...sources.keys()].sort())
      this.#files.set(name, parse(name, sources.get(name)!));
  }

  get all(): File[] {
    return [...this.#files.values()];
  }

  find(name: string, by: string): File {
    const file = this.#files.get(name);
    if (!file) throw new Error(`wgsl/${by}.wgsl: no file ${name}.wgsl`);
    return file;
  }

  /** The files that a pattern of `varies` stands for: a name, or all of a folder. */
  matching(pattern: string, by: string): File[] {
    if (!pattern.endsWith("/*")) return [this.find(pattern, by)];
    return this.all.filter((file) => file.name.startsWith(pattern.slice(0, -1)));
  }

  /** A file and everything that it needs; `varied`: and everything that it may be given. */
  closure(file: File, varied: boolean, path: readonly string[] = []): Set<File> {
    if (path.includes(file.name)) throw new Error(`wgsl: ${[...path, file.name].join(" needs ")}`);
    const found = new Set([file]);
    const next = file.needs.map((name) => this.find(name, file.name));
    const given = file.varies.flatMap((pattern) => this.matching(pattern, file.name));
    for (const one of next)
      for (const inner of this.closure(one, varied, [...path, file.name])) found.add(inner);
    if (varied) for (const one of given) if (!found.has(one)) this.#addAll(one, found);
    return found;
  }

  #addAll(file: File, found: Set<File>): void {
    found.add(file);
    const inner = [
      ...file.needs.map((name) => this.find(name, file.name)),
      ...file.varies.flatMap((pattern) => this.matching(pattern, file.name)),
    ];
    for (const one of inner) if (!found.has(one)) this.#addAll(one, found);
  }

  /** The members of a kernel's `struct Params`, its own or that of a file it needs. */
  params(kernel: File): Field[] {
    const structs = [...this.closure(kernel, false)].flatMap((file) => {
      const body = /^struct Params \{([^}]*)\}/m.exec(file.text)?.[1];
      return body === undefined ? [] : [{ file, body }];
    });
    if (structs.length !== 1)
      throw new Error(`wgsl/${kernel.name}.wgsl: ${structs.length} structs Params, not one`);
    const { file, body } = structs[0]!;
    const texts = this.all
      .filter((one) => this.closure(one, true).has(file) || this.closure(kernel, true).has(one))
      .map((one) => one.text);
    const fields = body.split(/,\s*/).flatMap((line): Field[] => {
      if (line.trim() === "") return [];
      const [name, type] = line.split(":").map((word) => word.trim()) as [string, string];
      if (!Object.hasOwn(hostTypes, type))
        throw new Error(`wgsl/${file.name}.wgsl: Params.${name} is ${type}, which no host writes`);
      if (!texts.some((text) => new RegExp(`\\bparams\\.${name}\\b`).test(text)))
        throw new Error(`wgsl/${file.name}.wgsl: nobody reads Params.${name}`);
      return [[name, type]];
    });
    return fields;
  }

  /** What a file says of itself must be true. */
  check(file: File): void {
    for (const pattern of [...file.needs, ...file.varies]) this.matching(pattern, file.name);
    for (const word of file.offers)
      if (!offers.includes(word)) throw new Error(`wgsl/${file.name}.wgsl: cannot offer ${word}`);
    const i8 = /\bfn decode_i8\b/.test(file.text);
    if (i8 !== file.offers.includes("i8"))
      throw new Error(`wgsl/${file.name}.wgsl: decode_i8 and "offers: i8" go together`);
    if (file.offers.some((word) => word !== "spread") && !i8)
      throw new Error(`wgsl/${file.name}.wgsl: what it offers goes with i8`);
    const texts = Array.from(this.closure(file, false), (one) => one.text).join("");
    const minimum = !/\bInt8Run\([^;]*, 0\.0\);/.test(texts);
    if (i8 && minimum !== file.offers.includes("minimum"))
      throw new Error(`wgsl/${file.name}.wgsl: decode_i8 gives minima exactly if it offers them`);
  }
}

/** The module, one line of JSON a file. Throws with the name of a file that is wrong. */
export function wgslModule(sources: ReadonlyMap<string, string>): string {
  const files = new Files(sources);
  const types: string[] = [];
  const entries = files.all.map((file) => {
    files.check(file);
    files.closure(file, false);
    const { name, text, needs, offers, enables } = file;
    const isKernel = !name.includes("/");
    const params = isKernel ? files.params(file) : [];
    if (isKernel) {
      const members = params.map(([field, type]) => `${field}: ${hostTypes[type]}`);
      types.push(`  ${name}: { ${members.join("; ")} };\n`);
    }
    const entry = { text: narrow(text), needs, offers, enables, params };
    const said = Object.entries(entry).filter(([, value]) => value.length > 0);
    return `  ${JSON.stringify(name)}: ${JSON.stringify(Object.fromEntries(said))},\n`;
  });
  return `/** Generated from the .wgsl files by scripts/wgsl.ts: the shader texts by name, and what they say of themselves. */

/** A file of wgsl/. */
export interface WgslFile {
  /** Without comments, indentation and needless spaces; the lines keep their numbers. */
  readonly text: string;
  /** Files that it is written against. */
  readonly needs?: readonly string[];
  /** Of quant/: \`i8\` = \`decode_i8\`, \`scaled\` = the mat-vec takes that too, \`minimum\` = weights have minima. */
  readonly offers?: readonly string[];
  /** WGSL extensions. */
  readonly enables?: readonly string[];
  /** Of a kernel: the members of its struct Params, in order, with their WGSL types. */
  readonly params?: readonly (readonly [name: string, type: string])[];
}

type Two = readonly [number, number];
type Four = readonly [number, number, number, number];

/** The parameters of each kernel. */
export interface KernelParams {
${types.join("")}}

export const wgsl: Readonly<Record<string, WgslFile>> = {
${entries.join("")}};
`;
}
