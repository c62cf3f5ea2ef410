/** How models mark reasoning, and marks around what is content anyway. */
import { type Entry, HY3, hy3, marks } from "./entry.ts";
import type { MarkFormat } from "./types.ts";

const reasoning = (name: string, start: string, end: string): MarkFormat =>
  marks("reasoning", name, start, end, { first: true });

/** A mark that is dropped. One that no text spells, a token of its own, also ends open reasoning. */
const silent = (start: string): Entry => ({
  format: marks("content", start, start, "", { endsReasoning: start.startsWith("<|") }),
});

/** Reasoning, and marks that are dropped. */
export const REASONING: readonly Entry[] = [
  {
    format: reasoning("think", "<think>", "</think>"),
    shown: ["<think>", "</think>", "<|tool_calls_section_begin|>", "<|tool_list_start|>"],
  },
  { format: reasoning("seed think", "<seed:think>", "</seed:think>") },
  { format: reasoning("minimax think", "<mm:think>", "</mm:think>") },
  { format: reasoning("mistral think", "[THINK]", "[/THINK]") },
  { format: reasoning("command think", "<|START_THINKING|>", "<|END_THINKING|>") },
  { format: reasoning("apertus think", "<|inner_prefix|>", "<|inner_suffix|>") },
  {
    // Its marks are tokens of their own, which come doubled, empty, and without need.
    format: marks("reasoning", "gemma thought", "<|channel>thought\n", "<channel|>", {
      strays: true,
    }),
    shown: ["<|channel>thought"],
  },
  { ...silent("<|channel>"), shown: ["<|channel>thought"] },
  { format: reasoning("solar think", "<|think|>", "<|end|>"), shown: ["assistant<|think|>"] },
  {
    format: reasoning("kimi think", "<|open|>think<|sep|>", "<|close|>think<|sep|>"),
    shown: ["<|open|>"],
  },
  {
    format: reasoning("apriel steps", "Here are my reasoning steps:\n", "[BEGIN FINAL RESPONSE]"),
    shown: ["[BEGIN FINAL RESPONSE]"],
  },
  hy3(reasoning("hy think", `<think${HY3}>`, `</think${HY3}>`)),

  ...[
    "[BEGIN FINAL RESPONSE]",
    "[END FINAL RESPONSE]",
    "<|START_RESPONSE|>",
    "<|END_RESPONSE|>",
  ].map(silent),
  ...["<|START_TEXT|>", "<|END_TEXT|>"].map(silent),
  ...["<response>", "</response>"].map((mark) => ({
    ...silent(mark),
    shown: ["<response></response>"],
  })),
  ...["<|begin|>assistant", "<|content|>", "<|end|>"].map((mark) => ({
    ...silent(mark),
    shown: ["assistant<|think|>"],
  })),
  ...["<|open|>response<|sep|>", "<|close|>response<|sep|>", "<|close|>message<|sep|>"].map(
    (mark) => ({ ...silent(mark), shown: ["<|open|>"] }),
  ),
];
