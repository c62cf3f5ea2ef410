/**
 * The cases of llama.cpp's own tests of chats (`chat/cases.jsonl` of a reference folder): answers
 * taken apart, prompts rendered, templates run by themselves. One case each.
 */
import { type ChatDifference, KNOWN_CHAT_DIFFERENCES } from "../chat/chat-known.ts";
import { type Case, differences, ifThere, type Reader } from "./case.ts";
import { jinjaDifferences } from "./chat-jinja.ts";
import { parseDifferences } from "./chat-parse.ts";
import { renderDifferences } from "./chat-render.ts";

/** What all kinds of cases have. */
export interface ChatCase {
  readonly id: string;
  readonly kind: string;
  /** Name of the file in `templates/` or `chat/templates/`, for kinds that use one. */
  readonly template?: string;
}

/** One case's result. */
export interface ChatReport {
  readonly id: string;
  readonly kind: string;
  /** What differs, in words; empty when the case passes. */
  readonly differences: readonly string[];
  /** Why it may differ, from the table of exceptions. */
  readonly known: ChatDifference | undefined;
}

/**
 * Compares one case, given the text of its template (empty for kinds that bring their own), and says
 * what differs; nothing when it passes.
 */
type Compare = (one: never, template: string) => readonly string[];

const KINDS: Readonly<Record<string, Compare>> = {
  parse: parseDifferences,
  render: renderDifferences,
  jinja: jinjaDifferences,
};

const known = new Map(KNOWN_CHAT_DIFFERENCES.map((one) => [one.id, one]));
const decoder = new TextDecoder();

/** The cases of a reference folder, and how each is run; none where the folder has no such file. */
export async function chatRuns(reader: Reader): Promise<(ChatCase & { run(): ChatReport })[]> {
  const bytes = await ifThere(reader("chat/cases.jsonl"));
  if (!bytes) return [];
  const cases = decoder
    .decode(bytes)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ChatCase)
    .filter(({ kind }) => kind in KINDS);
  const templates = await readTemplates(reader, cases);
  return cases.map((one) => ({
    ...one,
    run() {
      const text = templates.get(one.template ?? "");
      const differences =
        one.template !== undefined && text === undefined
          ? [`there is no template ${one.template}`]
          : KINDS[one.kind](one as never, text ?? "");
      return { id: one.id, kind: one.kind, differences, known: known.get(one.id) };
    },
  }));
}

async function readTemplates(
  reader: Reader,
  cases: readonly ChatCase[],
): Promise<ReadonlyMap<string, string>> {
  const names = new Set(cases.flatMap(({ template }) => template ?? []));
  const found = [...names].map(async (name) => {
    const bytes =
      (await ifThere(reader(`templates/${name}`))) ??
      (await ifThere(reader(`chat/templates/${name}`)));
    return bytes ? ([[name, decoder.decode(bytes)]] as const) : [];
  });
  return new Map((await Promise.all(found)).flat());
}

/** The cases of the conformance run: each of them a line. */
export async function chatCases(reader: Reader): Promise<Case[]> {
  return (await chatRuns(reader)).map((one) => ({
    name: `chat/${one.id}`,
    computes: false,
    run: async () => {
      const { differences: found, known } = one.run();
      const what = found.join("; ").slice(0, 200);
      const metric = what === "" ? "differences" : `differences: ${what}`;
      return [differences(metric, found.length, known?.cause)];
    },
  }));
}
