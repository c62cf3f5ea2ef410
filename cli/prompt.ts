/** Flags about the prompt and the answer that `complete` and `chat` share, and the line of statistics. */
import type { GenerateOptions, Model, SessionStats } from "../mod.ts";
import { type Flag, usage, type Values } from "./flags.ts";
import { processEscapes, readText } from "./terminal.ts";

export const GENERATION_FLAGS: readonly Flag[] = [
  {
    names: ["-p", "--prompt"],
    value: "TEXT",
    help: "the prompt; \\n, \\t, \\xHH … are read as escapes",
  },
  {
    names: ["-f", "--file"],
    value: "FILE",
    help: "the prompt from a file (- = standard input), as it is",
  },
  { names: ["-e", "--escape"], help: "read escapes in -p (the default)" },
  { names: ["--no-escape"], help: "take -p as it is" },
  {
    names: ["-n", "--n-predict", "--predict"],
    value: "N",
    help: "tokens at most; -1 = until the end (default)",
  },
  { names: ["-r", "--reverse-prompt"], value: "TEXT", many: true, help: "stop at this text" },
  { names: ["-sp", "--special"], help: "show special tokens" },
  { names: ["--no-perf"], help: "no statistics on standard error" },
];

/** The prompt of `-p` or `-f`; an error if there is none. */
export async function promptFrom(values: Values): Promise<string> {
  const prompt = await optionalPrompt(values);
  if (prompt === undefined) throw usage('A prompt is missing; give one with -p "TEXT" or -f FILE');
  return prompt;
}

export async function optionalPrompt(values: Values): Promise<string | undefined> {
  const text = values.text("prompt");
  const file = values.text("file");
  if (text !== undefined && file !== undefined) throw usage("-p and -f exclude each other");
  if (text !== undefined) return values.switch("no-escape") ? text : processEscapes(text);
  // One line end at the end of a file is the editor's, not the prompt's.
  return file === undefined ? undefined : (await readText(file)).replace(/\n$/, "");
}

export function generationOptions(values: Values): GenerateOptions {
  const maxTokens = values.integer("predict");
  return {
    ...(maxTokens !== undefined && { maxTokens: maxTokens < 0 ? -1 : maxTokens }),
    stop: values.texts("reverse-prompt"),
    ignoreEos: values.switch("ignore-eos"),
  };
}

/** For example: `21 prompt tokens in 0.12 s, 64 tokens at 35.1/s on CPU (WebAssembly SIMD)`. */
export function statistics(model: Model, stats: SessionStats): string {
  const rate = stats.completionTokens > 1 && stats.completionMs > 0;
  const { speculation } = stats;
  const cached = stats.cachedTokens > 0 ? ` (+${stats.cachedTokens} cached)` : "";
  return (
    `${stats.promptTokens - stats.cachedTokens} prompt tokens${cached} in ${(stats.promptMs / 1000).toFixed(2)} s, ` +
    `${stats.completionTokens} tokens` +
    (rate
      ? ` at ${(((stats.completionTokens - 1) / stats.completionMs) * 1000).toFixed(1)}/s`
      : "") +
    (speculation ? ` (${speculation.accepted} of ${speculation.drafted} drafts accepted)` : "") +
    ` on ${model.device.name}${model.device.software ? " (software emulation)" : ""}`
  );
}
