/** The models of a server: one by `-m`, a folder of files, or a list with settings of each (INI). */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { models } from "../../mod.ts";
import { parseFlags, usage, type Values } from "../flags.ts";
import { gettingOptions } from "../getting.ts";
import { DEVICE_FLAGS, loadOptions, SPECULATION_FLAGS } from "../model-flags.ts";
import { readText } from "../terminal.ts";
import { ApiError } from "./errors.ts";
import type { ModelEntry, ModelStore } from "./host.ts";

/** Flags that a section of a preset may set, besides those of every command that computes. */
const PRESET_FLAGS = [
  ...DEVICE_FLAGS,
  ...SPECULATION_FLAGS,
  { names: ["-np", "--parallel"], value: "N", help: "" },
  { names: ["-a", "--alias"], value: "NAME", help: "" },
  { names: ["--pin"], help: "" },
];

export async function entriesOf(values: Values): Promise<ModelEntry[]> {
  const single = values.hasModel() || values.positionals.length > 0 ? values.model() : undefined;
  const folder = values.text("models-dir");
  const preset = values.text("models-preset");
  if (single !== undefined) {
    if (folder !== undefined || preset !== undefined)
      throw usage("-m and --models-dir or --models-preset exclude each other");
    const [name, ...aliases] = aliasesOf(values);
    return [{ ...entryOf(single, values, name), aliases, pinned: true }];
  }
  const entries = [
    ...(await storedEntries(values)),
    ...(folder === undefined ? [] : await filesIn(folder, values)),
    ...(preset === undefined ? [] : readPresets(await readText(preset), preset, values)),
  ];
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  return [...byId.values()];
}

/** What was fetched before, by the hub's names. */
async function storedEntries(values: Values): Promise<ModelEntry[]> {
  const kept = await models.list().catch(() => []);
  return kept
    .filter(({ loaded, bytes }) => loaded === bytes)
    .map(({ reference }) => ({ ...entryOf(reference, values, nameOf(reference)), stored: true }));
}

/** The store of this machine, for a server that may fetch. */
export function storeOf(values: Values): ModelStore {
  return {
    pull: (reference, options) => models.pull(reference, { ...gettingOptions(values), ...options }),
    remove: (reference) => models.remove(reference),
    entry(name) {
      const reference = name.startsWith("hf:") ? name : `hf:${name}`;
      // A server that fetched from any address could be sent to those that it alone can reach.
      if (!/^hf:[\w.-]+\/[\w.-]+([:/@][\w.:/@-]*)?$/.test(reference) || reference.includes(".."))
        throw new ApiError(
          400,
          `Cannot fetch ${JSON.stringify(name).slice(0, 100)}: model is USER/REPO or USER/REPO:QUANT`,
          { param: "model" },
        );
      return { ...entryOf(reference, values, nameOf(reference)), stored: true };
    },
  };
}

const aliasesOf = (values: Values): string[] =>
  (values.text("alias") ?? "").split(",").filter((name) => name !== "");

function entryOf(source: string, values: Values, id: string | undefined): ModelEntry {
  return {
    id: id ?? nameOf(source),
    aliases: [],
    source,
    options: loadOptions(values),
    parallel: parallelOf(values),
    pinned: false,
  };
}

/** A file's name without folder, ending and part number; a reference to a repository as it is. */
export const nameOf = (source: string): string =>
  /^hf:[^/]+\/[^/]+$/.test(source)
    ? source.slice(3)
    : path.basename(source.replace(/[?#&].*$/, "")).replace(/(-\d{5}-of-\d{5})?\.gguf(@.*)?$/i, "");

/** Answers at once. */
export function parallelOf(values: Values): number {
  const parallel = values.integer("parallel") ?? 4;
  if (parallel < 1 || parallel > 256) throw usage(`-np is from 1 to 256, not ${parallel}`);
  return parallel;
}

async function filesIn(folder: string, values: Values): Promise<ModelEntry[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    throw usage(`Cannot read the folder ${folder}: is it there?`);
  }
  return names
    .filter((name) => /\.gguf$/i.test(name) && !/-0*(?!1-of)\d+-of-\d+\.gguf$/i.test(name))
    .filter((name) => !/^mmproj/i.test(name))
    .sort()
    .map((name) => entryOf(path.join(folder, name), values, undefined));
}

/** `[name]` and lines `key = value`, each a flag without its dashes; `[*]` is for all that follow. */
export function readPresets(text: string, file: string, values: Values): ModelEntry[] {
  const entries: ModelEntry[] = [];
  let name: string | undefined;
  let all: string[] = [];
  let own: string[] = [];
  const finish = (): void => {
    if (name === "*") all = own;
    else if (name !== undefined) {
      const read = parseFlags([...all, ...own], PRESET_FLAGS);
      const model = read.text("model");
      if (model === undefined) throw usage(`${file}: section [${name}] names no model`);
      const source = /^[a-z][a-z0-9+.-]+:/i.test(model)
        ? model
        : path.resolve(path.dirname(file), model);
      entries.push({
        ...entryOf(source, read, name),
        aliases: aliasesOf(read),
        parallel: read.has("parallel") ? parallelOf(read) : parallelOf(values),
        pinned: read.switch("pin"),
      });
    }
  };
  text.split(/\r?\n/).forEach((line, i) => {
    const trimmed = line.trim();
    if (trimmed === "" || /^[;#]/.test(trimmed)) return;
    const section = /^\[(.+)\]$/.exec(trimmed);
    if (section) {
      finish();
      [name, own] = [section[1].trim(), []];
      return;
    }
    const pair = /^([^=\s]+)\s*=\s*(.*)$/.exec(trimmed);
    if (!pair || name === undefined)
      throw usage(
        `${file}:${i + 1}: a line is [NAME] or key = value, not ${JSON.stringify(trimmed)}`,
      );
    const [, key, value] = pair;
    const flag = PRESET_FLAGS.find(({ names }) =>
      names.some((spelling) => spelling.replace(/^--?/, "") === key),
    );
    const dashed =
      flag?.names.find((spelling) => spelling.replace(/^--?/, "") === key) ?? `--${key}`;
    if (flag && flag.value === undefined) {
      if (/^(true|on|1|yes)$/i.test(value)) own.push(dashed);
    } else own.push(dashed, value);
  });
  finish();
  return entries;
}
