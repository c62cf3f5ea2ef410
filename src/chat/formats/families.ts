/** Families whose answers are messages with headers. */

import { argumentsOf } from "./calls.ts";
import type { Entry } from "./entry.ts";
import { invokeTags, tagged } from "./tags.ts";
import type { HeaderFormat } from "./types.ts";

const recipient = (header: string): string | undefined =>
  /to=(?:functions\.)?([\w.-]+)/.exec(header)?.[1];

/** GPT-OSS: channels analysis, commentary and final; calls are addressed to `functions.NAME`. */
const harmony: HeaderFormat = {
  kind: "headers",
  name: "harmony",
  begins: ["<|start|>", "<|channel|>"],
  headerEnd: "<|message|>",
  ends: ["<|end|>", "<|return|>", "<|call|>"],
  // The prompt ends with the role: a recipient or a mark follows.
  noHeader: /^\s*([^\s<t]|t[^o]|to[^=])/,
  header(text, offers) {
    const to = recipient(text);
    if (to !== undefined && offers(to)) return { read: argumentsOf(to) };
    return { channel: /analysis/.test(text) ? "reasoning" : "content" };
  },
};

/** Functionary 3.2: `>>>all` for text, `>>>NAME` with arguments for calls. */
const functionary: HeaderFormat = {
  ...harmony,
  name: "functionary",
  begins: [">>>"],
  headerEnd: "\n",
  ends: [],
  noHeader: undefined,
  header(text, offers) {
    const to = text.replace(/^>>>/, "").trim();
    if (to === "all") return { channel: "content" };
    return offers(to) ? { read: argumentsOf(to) } : undefined;
  },
};

const museCalls = tagged(invokeTags("atem:"));

/** Muse: `to=self` is reasoning, other recipients get tagged calls. */
const muse: HeaderFormat = {
  ...harmony,
  name: "muse",
  begins: ["<|start|>"],
  ends: ["<|eom|>", "<|eot|>"],
  header(text) {
    const to = recipient(text);
    if (to === undefined || to === "user") return { channel: "content" };
    if (to === "self") return { channel: "reasoning" };
    return {
      *read(input, sink, schemaOf) {
        yield* input.space();
        yield* input.expect("<atem:function_calls>");
        yield* museCalls(input, sink, schemaOf, "</atem:function_calls>");
        yield* input.space();
        yield* input.has("</atem:function_calls>");
      },
    };
  },
};

/** Families with headers. */
export const HEADERS: readonly Entry[] = [
  { format: harmony, shown: ["<|channel|>analysis<|message|>"] },
  { format: functionary, shown: [">>>all"] },
  { format: muse, shown: ["<atem:function_calls>"] },
];
