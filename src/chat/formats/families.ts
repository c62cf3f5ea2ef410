/** Families whose answers are messages with headers. */

import { argumentParts } from "./call-parts.ts";
import type { Entry } from "./entry.ts";
import { cut, invokeTags, readArguments, taggedCalls } from "./parse.ts";
import { taggedParts } from "./tag-parts.ts";
import type { HeaderFormat } from "./types.ts";

/** GPT-OSS: channels analysis, commentary and final; calls are addressed to `functions.NAME`. */
const harmony: HeaderFormat = {
  kind: "headers",
  name: "harmony",
  begins: ["<|start|>", "<|channel|>"],
  headerEnd: "<|message|>",
  ends: ["<|end|>", "<|return|>", "<|call|>"],
  read(header) {
    const to = /to=([\w.-]+)/.exec(header)?.[1];
    if (to !== undefined && to !== "user")
      return { channel: "tool", tool: to.replace(/^functions\./, "") };
    return { channel: /analysis/.test(header) ? "reasoning" : "content" };
  },
  syntax: (name) => ({
    parse(body) {
      const args = readArguments(body);
      return args && [{ name, arguments: args }];
    },
    parts: argumentParts(name),
  }),
};

/** Functionary 3.2: `>>>all` for text, `>>>NAME` with arguments for calls. */
const functionary: HeaderFormat = {
  ...harmony,
  name: "functionary",
  begins: [">>>"],
  headerEnd: "\n",
  ends: [],
  read(header) {
    const to = header.replace(/^>>>/, "").trim();
    return to === "all" ? { channel: "content" } : { channel: "tool", tool: to };
  },
};

/** Muse: `to=self` is reasoning, other recipients get tagged calls. */
const muse: HeaderFormat = {
  ...harmony,
  name: "muse",
  begins: ["<|start|>"],
  ends: ["<|eom|>", "<|eot|>"],
  read(header) {
    const to = /to=([\w.-]+)/.exec(header)?.[1];
    if (to === undefined || to === "user") return { channel: "content" };
    return to === "self" ? { channel: "reasoning" } : { channel: "tool", tool: to };
  },
  syntax: () => ({
    parse(body, types) {
      const [before, inside] = cut(body, "<atem:function_calls>");
      if (before.trim() !== "" || inside === undefined) return undefined;
      return taggedCalls(invokeTags("atem:"))(cut(inside, "</atem:function_calls>")[0], types);
    },
    *parts(input, sink, types) {
      yield* input.space();
      yield* input.expect("<atem:function_calls>");
      yield* taggedParts(invokeTags("atem:"))(input, sink, types);
    },
  }),
};

/** Families with headers. */
export const HEADERS: readonly Entry[] = [
  { format: harmony, shown: ["<|channel|>analysis<|message|>"] },
  { format: functionary, shown: [">>>all"] },
  { format: muse, shown: ["<atem:function_calls>"] },
];
