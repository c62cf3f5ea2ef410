/** Saved lines of conformance runs, and the tables of architectures made from them. */
import type { ArchEntry } from "./archs.ts";
import type { Row } from "./run.ts";

/** One way to run the models: a column of the table. */
export interface RunKind {
  readonly id: string;
  readonly title: string;
  readonly runtime: "node" | "deno" | "chromium";
  readonly device: "gpu" | "cpu";
  readonly cache: "f32" | "f16";
}

export const runKinds: readonly RunKind[] = [
  { id: "node-gpu-f32", title: "Node", runtime: "node", device: "gpu", cache: "f32" },
  { id: "node-gpu-f16", title: "Node, f16 cache", runtime: "node", device: "gpu", cache: "f16" },
  { id: "deno-gpu-f32", title: "Deno", runtime: "deno", device: "gpu", cache: "f32" },
  { id: "chromium-gpu-f32", title: "Chromium", runtime: "chromium", device: "gpu", cache: "f32" },
  { id: "node-cpu-f32", title: "CPU path", runtime: "node", device: "cpu", cache: "f32" },
];

const printed = /^(pass|FAIL|known) {2}(\S+) {2}(.+?) (\S+) \(bound (\S+)\) {2}(.+?), (.+)$/;
const figure = (text: string): number | null => (text === "-" ? null : Number(text));

/** The rows among the lines that the conformance run printed, with or without `--json`. */
export function parseRows(text: string): Row[] {
  return text.split("\n").flatMap((line): Row[] => {
    if (line.startsWith("{")) return [JSON.parse(line) as Row];
    const found = printed.exec(line);
    if (!found) return [];
    const [, word, name, metric, value, bound, runtime, adapter] = found;
    const pass = word === "pass";
    return [{ name, metric, value: figure(value), bound: figure(bound), pass, runtime, adapter }];
  });
}

/** Rows by model: those of its last run only, which begins anew with `nmse` or `unsupported`. */
export function byModel(rows: readonly Row[]): Map<string, Row[]> {
  const models = new Map<string, Row[]>();
  for (const row of rows) {
    if (["nmse", "unsupported", "error"].includes(row.metric)) models.set(row.name, []);
    models.get(row.name)?.push(row);
  }
  return models;
}

/** Models that need not run again. */
export function passed(rows: readonly Row[]): Set<string> {
  const done = [...byModel(rows)].filter(([, own]) => own.every((row) => row.pass));
  return new Set(done.map(([name]) => name));
}

export type Results = ReadonlyMap<string, readonly Row[]>;

interface Cell {
  readonly nmse: number;
  readonly pass: boolean;
}

/** Distance from the reference; undefined where the model did not run. */
function cellOf(rows: readonly Row[] | undefined): Cell | undefined {
  const value = rows?.find((row) => row.metric === "nmse")?.value;
  if (!rows || value === null || value === undefined) return undefined;
  return { nmse: value, pass: rows.every((row) => row.pass) };
}

const show = (cell: Cell | undefined): string => {
  if (!cell) return "";
  const text = cell.nmse === 0 ? "0" : cell.nmse.toExponential(1);
  return cell.pass ? text : `**${text}**`;
};

const table = (head: readonly string[], lines: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** What computed each column, as the runs said. */
function adapters(results: Results): string {
  return runKinds
    .flatMap(({ id, title }) => {
      const rows = results.get(id) ?? [];
      const all = new Set(rows.map((row) => `${row.runtime} on ${row.adapter}`));
      return all.size > 0 ? [`${title}: ${[...all].join(" and ")}`] : [];
    })
    .join("; ");
}

/** The table of docs/architectures.md, and what its figures are. */
export function fullTable(
  entries: ReadonlyMap<string, ArchEntry>,
  results: Results,
  month: string,
): string {
  const columns = runKinds.filter(({ id }) => results.has(id));
  const models = columns.map(({ id }) => byModel(results.get(id) ?? []));
  const lines: string[][] = [];
  const missing: string[] = [];
  for (const [name, entry] of entries) {
    if (!name.startsWith("archs/") || name.startsWith("archs/quantized/")) continue;
    const cells = models.map((own) => cellOf(own.get(name)));
    if (cells.every((cell) => cell === undefined)) missing.push(entry.name);
    else lines.push([`\`${entry.arch}\``, entry.name, ...cells.map(show)]);
  }
  return `How far the logits (or embeddings) of a tiny random model of each architecture lie from llama.cpp's, as
NMSE = Σ(ours − theirs)² / Σ theirs², over 48 tokens. The cache is f32 unless the column says otherwise. A
figure in **bold** is out of the bounds of the conformance run: of this distance, or of the agreement of one
chunk with chunks of 7, single tokens, a rewind and two sequences in the same steps. An empty cell was not run.
With an f16 cache the bound is what llama.cpp's own f16 arithmetic does to the model: a lot where a rounding
sends a row to another expert.

Made by \`npm run conformance:table\` in ${month}. ${adapters(results)}.

${table(["architecture", "model", ...columns.map(({ title }) => title)], lines)}
${missing.length > 0 ? `\nNot supported: ${missing.join(", ")}.` : ""}`;
}

/** Families as people name them, by `general.architecture`; the first that fits counts. */
const families: readonly (readonly [string, RegExp])[] = [
  ["Llama, Llama 4, Mixtral", /^(llama|llama4|llama-embed|deci)$/],
  ["Mistral and Ministral 3, Mistral 4", /^mistral/],
  ["Qwen 1 to 3, with experts and vision models' text", /^qwen(2|3)?(moe|vl|vlmoe)?$/],
  ["Qwen3-Next, Qwen 3.5", /^qwen3(next|5)/],
  ["Gemma 1 to 4, 3n, EmbeddingGemma", /^gemma/],
  ["Phi 2, 3, 3.5-MoE", /^phi/],
  ["LFM2, LFM2.5", /^lfm2/],
  ["GPT-OSS", /^gpt-oss$/],
  ["SmolLM3", /^smollm3$/],
  ["Granite", /^granite/],
  ["OLMo 1 to 3, OLMoE", /^olmo/],
  ["DeepSeek 1 to 3, Kimi Linear", /^(deepseek|kimi)/],
  ["GLM 3 to 4.6", /^(chatglm|glm4)/],
  ["Command R, R7B, A", /^(command-r|cohere2)$/],
  ["EXAONE", /^exaone/],
  ["Falcon, Falcon H1", /^falcon/],
  ["Nemotron, Nemotron-H", /^nemotron/],
  [
    "Hunyuan, ERNIE, Ling, Seed, MiniMax, MiniCPM",
    /^(hunyuan|hy_v3|ernie|bailing|seed|minimax|minicpm)/,
  ],
  ["Mamba, Jamba, RWKV 7", /^(mamba|jamba|a?rwkv7)/],
  ["GPT-2, GPT-NeoX, BLOOM, MPT, StarCoder, StableLM", /^(gpt|bloom|mpt|starcoder|stablelm)/],
  ["BERT, ModernBERT, Nomic, Jina, EuroBERT", /bert/],
  ["others", /./],
];

const range = (cells: readonly (Cell | undefined)[]): string => {
  const ran = cells.filter((cell) => cell !== undefined);
  if (ran.length === 0) return "";
  return show({
    nmse: Math.max(...ran.map((cell) => cell.nmse)),
    pass: ran.every((cell) => cell.pass),
  });
};

/** The README's: a line a family, the worst of its models in each column. */
export function compactTable(entries: ReadonlyMap<string, ArchEntry>, results: Results): string {
  const columns = runKinds.filter(({ id }) => results.has(id));
  const models = columns.map(({ id }) => byModel(results.get(id) ?? []));
  const names = new Map(families.map(([title]) => [title, [] as string[]]));
  const archs = new Map<string, Set<string>>();
  for (const [name, { arch }] of entries) {
    if (!name.startsWith("archs/") || name.startsWith("archs/quantized/")) continue;
    if (models.every((own) => !cellOf(own.get(name)))) continue;
    const [title] = families.find(([, pattern]) => pattern.test(arch))!;
    names.get(title)!.push(name);
    archs.set(title, (archs.get(title) ?? new Set()).add(arch));
  }
  const lines = [...names]
    .filter(([, own]) => own.length > 0)
    .map(([title, own]) => [
      title === "others" ? `others: ${archs.get(title)!.size} architectures` : title,
      String(own.length),
      ...models.map((rows) => range(own.map((name) => cellOf(rows.get(name))))),
    ]);
  return table(["family", "models", ...columns.map(({ title }) => title)], lines);
}

/** The text with what stands between the two markers replaced. */
export function between(text: string, begin: string, end: string, content: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${begin} … ${end} is not there`);
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
}
