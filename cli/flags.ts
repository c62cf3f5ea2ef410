/**
 * Flags as llama.cpp spells them: `-ngl 0`, `-ctk f32` and `--temp 0` are one table, read with the
 * platform's parseArgs once every spelling is made long. A value is whatever follows its flag, even
 * if it starts with a dash, as there.
 */
import { parseArgs } from "node:util";
import { WebggufError } from "../mod.ts";
import { nearest } from "../src/base/text.ts";
import { carriedLength } from "./carried.ts";

export interface Flag {
  /** All spellings; the last one names the value in {@link Values}. */
  readonly names: readonly string[];
  /** What the value is, for the help; a flag without one is a switch. */
  readonly value?: string;
  readonly help: string;
  /** May be given several times. */
  readonly many?: boolean;
  /** The environment variable that stands for it, by llama.cpp's name. */
  readonly env?: string;
}

/** Flags of which one names the model. */
const MODEL_NAMES = ["model", "hf-repo", "model-url"] as const;

/** Parsed flags with getters that check. */
export class Values {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];
  /** Flags of llama.cpp's that have no effect here, as they were spelled. */
  readonly carried: readonly string[];

  constructor(
    values: Readonly<Record<string, unknown>>,
    positionals: readonly string[],
    carried: readonly string[] = [],
  ) {
    this.#values = values;
    this.positionals = positionals;
    this.carried = carried;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }
  text(name: string): string | undefined {
    return this.#values[name] as string | undefined;
  }
  texts(name: string): readonly string[] {
    return (this.#values[name] as readonly string[] | undefined) ?? [];
  }
  switch(name: string): boolean {
    return this.#values[name] === true;
  }
  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value))
      throw usage(`--${name} wants a number, not "${text}"`);
    return value;
  }
  integer(name: string): number | undefined {
    const value = this.number(name);
    if (value !== undefined && !Number.isInteger(value))
      throw usage(`--${name} wants a whole number, not "${this.text(name)}"`);
    return value;
  }
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!choices.includes(text as T))
      throw usage(`--${name} is one of ${choices.join(", ")}, not "${text}"`);
    return text as T;
  }
  /** Whether a flag names the model. */
  hasModel(): boolean {
    return MODEL_NAMES.some((name) => this.has(name));
  }
  /** The model: `-m FILE`, `-hf USER/REPO`, `-mu URL`, or FILE alone. */
  model(): string {
    const path = this.#named() ?? this.positionals[0];
    if (path === undefined || path === "")
      throw usage("The model is missing; for example: -m model.gguf");
    return path;
  }
  /** The reference that flags make, of which one may be given. */
  #named(): string | undefined {
    const [path, repo, url] = MODEL_NAMES.map((name) => this.text(name));
    const file = this.text("hf-file");
    if ([path, repo, url].filter((one) => one !== undefined).length > 1)
      throw usage("-m, -hf and -mu exclude each other");
    if (file !== undefined && repo === undefined) throw usage("-hff FILE needs -hf USER/REPO");
    if (repo === undefined) return path ?? url;
    // What stands behind the colon chooses a file: the named one is chosen already.
    return file === undefined ? `hf:${repo}` : `hf:${repo.replace(/:.*/, "")}/${file}`;
  }
  required(name: string, example: string): string {
    const text = this.text(name);
    if (text === undefined) throw usage(`--${name} is missing; for example: ${example}`);
    return text;
  }
}

/** A mistake on the command line: exit code 2. */
export const usage = (message: string): WebggufError => new WebggufError("input/invalid", message);

/** Reads the arguments after the command's name; a flag that is not given may stand in the environment. */
export function parseFlags(
  args: readonly string[],
  flags: readonly Flag[],
  environment: Readonly<Record<string, string | undefined>> = {},
): Values {
  const bySpelling = new Map(flags.flatMap((flag) => flag.names.map((name) => [name, flag])));
  const long: string[] = [];
  const carried: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === "--") {
      long.push(...args.slice(i));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      long.push(arg);
      continue;
    }
    const equals = arg.startsWith("--") ? arg.indexOf("=") : -1;
    const spelling = equals < 0 ? arg : arg.slice(0, equals);
    const flag = bySpelling.get(spelling) ?? bySpelling.get(spelling.replaceAll("_", "-"));
    if (!flag) {
      const length = carriedLength([spelling, ...args.slice(i + 1)], equals >= 0);
      if (length === undefined) throw usage(unknownFlag(spelling, [...bySpelling.keys()]));
      carried.push(spelling);
      i += length - 1;
      continue;
    }
    const name = nameOf(flag);
    if (flag.value === undefined) {
      if (equals >= 0) throw usage(`${spelling} takes no value`);
      long.push(`--${name}`);
      continue;
    }
    if (equals < 0 && i + 1 >= args.length) throw usage(`${spelling} wants ${flag.value} after it`);
    long.push(`--${name}=${equals < 0 ? args[++i] : arg.slice(equals + 1)}`);
  }
  const options = Object.fromEntries(
    flags.map((flag) => [
      nameOf(flag),
      { type: flag.value === undefined ? "boolean" : "string", multiple: flag.many ?? false },
    ]),
  ) as Record<string, { type: "boolean" | "string"; multiple: boolean }>;
  const { values, positionals } = parseArgs({ args: long, options, allowPositionals: true });
  for (const flag of flags) {
    const name = nameOf(flag);
    const given = flag.env === undefined ? undefined : environment[flag.env];
    if (given === undefined || given === "" || values[name] !== undefined) continue;
    if (name === "model" && positionals.length > 0) continue;
    if (flag.value !== undefined) values[name] = flag.many ? [given] : given;
    else if (/^(1|true|on|enabled)$/i.test(given)) values[name] = true;
  }
  return new Values(values, positionals, carried);
}

const nameOf = (flag: Flag): string => flag.names[flag.names.length - 1].replace(/^--?/, "");

function unknownFlag(spelling: string, known: readonly string[]): string {
  const near = nearest(spelling, known);
  return `Unknown flag ${spelling}${near ? `; did you mean ${near}?` : "; --help lists the flags"}`;
}

/** The table of flags for `--help`. */
export function describeFlags(flags: readonly Flag[]): string {
  const left = flags.map(
    (flag) => `  ${flag.names.join(", ")}${flag.value ? ` ${flag.value}` : ""}`,
  );
  const help = (flag: Flag): string => flag.help + (flag.env ? ` [${flag.env}]` : "");
  const width = Math.min(38, Math.max(...left.map((text) => text.length)) + 2);
  return flags
    .map((flag, i) =>
      left[i].length < width
        ? `${left[i].padEnd(width)}${help(flag)}`
        : `${left[i]}\n${" ".repeat(width)}${help(flag)}`,
    )
    .join("\n");
}
