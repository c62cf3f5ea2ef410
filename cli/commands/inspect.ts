/** `webgguf inspect`: what a file says about itself, and what running it would allocate. */
import {
  type MetadataValue,
  type ModelFile,
  memoryNeeded,
  openSource,
  readGguf,
} from "../../mod.ts";
import type { Command } from "../command.ts";
import { headerOptions } from "../getting.ts";
import { DEVICE_FLAGS, loadOptions } from "../model-flags.ts";
import { note, print } from "../terminal.ts";

export const inspect: Command = {
  name: "inspect",
  summary: "Show a file's metadata and tensors, and the memory that it needs",
  examples: [
    "webgguf inspect -m model.gguf",
    "webgguf inspect -m model.gguf --json",
    "webgguf inspect -m model.gguf --memory -c 8192",
  ],
  flags: [
    { names: ["--json"], help: "one JSON object, arrays in full" },
    { names: ["--memory"], help: "what will be allocated for a context of -c, by owner" },
    ...DEVICE_FLAGS,
  ],
  async run(values) {
    const name = values.model();
    const getting = headerOptions(values);
    const source = await openSource(name, getting);
    const json = values.switch("json");
    let file: ModelFile | undefined;
    try {
      file = await readGguf(source, {
        open: (part) => openSource(part, getting),
        headerOnly: !values.switch("memory"),
      });
      if (values.switch("memory")) {
        const report = await memoryNeeded(file, loadOptions(values));
        if (!json) noteContext(file, report.contextLength);
        await print(json ? `${JSON.stringify(report)}\n` : memoryTable(report));
      } else await print(json ? `${asJson(file)}\n` : asTable(file));
      return 0;
    } finally {
      await Promise.all((file?.sources ?? [source]).map((one) => one.close()));
    }
  },
};

/** Says where a context is longer than what the model was made for. */
function noteContext({ metadata }: ModelFile, context: number): void {
  const key = `${metadata.string("general.architecture", "")}.context_length`;
  const own = metadata.integer(key, Number.POSITIVE_INFINITY, 1);
  if (context > own)
    note(`The model was made for a context of ${own} tokens; ${context} are more than it knows.`);
}

const MIB = 1 << 20;
const mib = (bytes: number): string => `${(bytes / MIB).toFixed(bytes < 10 * MIB ? 2 : 0)} MiB`;

function memoryTable(report: Awaited<ReturnType<typeof memoryNeeded>>): string {
  const owners = Object.entries(report.owners);
  const width = Math.max(...owners.map(([name]) => name.length), 6) + 2;
  const line = (name: string, bytes: number): string =>
    `${name.padEnd(width)}${mib(bytes).padStart(12)}\n`;
  return (
    owners.map(([name, bytes]) => line(name, bytes)).join("") +
    line("total", report.total) +
    `context ${report.contextLength}; ${report.verdict}\n`
  );
}

function asTable(file: ModelFile): string {
  const tensors = [...file.tensors.values()];
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const parameters = tensors.reduce((sum, tensor) => sum + tensor.elements, 0);
  const types = new Map<string, number>();
  for (const { type } of tensors) types.set(type.name, (types.get(type.name) ?? 0) + 1);
  const mix = [...types].sort((a, b) => b[1] - a[1]).map(([type, n]) => `${n} ${type}`);
  const lines = [
    `${file.name}: GGUF version ${file.version}, ${file.sources.length} part(s), alignment ${file.alignment}`,
    `${tensors.length} tensors (${mix.join(", ")}), ${parameters.toLocaleString("en")} parameters, ${mib(bytes)}`,
    "",
    "metadata",
    ...Array.from(file.metadata, ([key, value]) => `  ${printable(key)} = ${brief(value)}`),
    "",
    "tensors",
  ];
  const name = Math.max(0, ...tensors.map((tensor) => tensor.name.length)) + 2;
  const type = Math.max(0, ...tensors.map((tensor) => tensor.type.name.length)) + 2;
  for (const tensor of tensors)
    lines.push(
      `  ${printable(tensor.name).padEnd(name)}${tensor.type.name.padEnd(type)}` +
        `${tensor.shape.join(" × ").padEnd(20)}${mib(tensor.bytes).padStart(12)}`,
    );
  return `${lines.join("\n")}\n`;
}

/** Control characters of a hostile file must not reach the terminal. */
const printable = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => JSON.stringify(c).slice(1, -1));

function brief(value: MetadataValue): string {
  if (typeof value === "string") {
    const text = printable(value);
    return text.length > 100
      ? `${JSON.stringify(text.slice(0, 100))} … (${text.length} characters)`
      : JSON.stringify(text);
  }
  if (typeof value !== "object") return String(value);
  const first = Array.from({ length: Math.min(5, value.length) }, (_, i) => {
    const item = value[i];
    return typeof item === "string" ? JSON.stringify(printable(item).slice(0, 40)) : String(item);
  });
  return `[${first.join(", ")}${value.length > 5 ? `, … ${value.length} in all` : ""}]`;
}

function asJson(file: ModelFile): string {
  const plain = (value: MetadataValue): unknown => {
    if (typeof value === "bigint") return value.toString();
    return typeof value === "object" ? Array.from(value as ArrayLike<MetadataValue>, plain) : value;
  };
  return JSON.stringify({
    name: file.name,
    version: file.version,
    alignment: file.alignment,
    parts: file.sources.length,
    metadata: Object.fromEntries(Array.from(file.metadata, ([key, value]) => [key, plain(value)])),
    tensors: Array.from(file.tensors.values(), ({ type, ...tensor }) => ({
      ...tensor,
      type: type.name,
    })),
  });
}
