/** Chat templates against llama.cpp's own Jinja: the same text, or both refuse. */
import { WebggufError } from "../../src/base/errors.ts";
import { ChatTemplate } from "../../src/chat/template.ts";
import { KNOWN_DIFFERENCES } from "../chat/template-known.ts";
import { type Case, differences, ifThere, type Reader, readJson } from "./case.ts";

/** `rendered.json`: variables by conversation, and what became of them by template and conversation. */
interface Rendered {
  readonly now_utc: string;
  readonly conversations: Readonly<Record<string, Record<string, unknown>>>;
  readonly rendered: Readonly<
    Record<string, Readonly<Record<string, { readonly text?: string; readonly error?: string }>>>
  >;
}

/** One template's result. */
export interface TemplateReport {
  /** `templates/FILE`. */
  readonly name: string;
  /** True when every pair agrees but those that are known to differ. */
  readonly pass: boolean;
  /** Pairs compared, and how many of them agree. */
  readonly pairs: number;
  readonly agreeing: number;
  /** Conversations that differ without being known to. */
  readonly different: readonly string[];
}

const decoder = new TextDecoder();
const known = new Set(KNOWN_DIFFERENCES.map((one) => `${one.template} ${one.conversation}`));

/** Compares every template of a reference folder with its renderings. */
export async function checkTemplates(reader: Reader): Promise<TemplateReport[]> {
  const reference = await readJson<Rendered>(reader, "templates/rendered.json");
  const reports: TemplateReport[] = [];
  for (const file of Object.keys(reference.rendered)) {
    const source = await ifThere(reader(`templates/${file}`));
    if (source) reports.push(check(reference, file, decoder.decode(source)));
  }
  return reports;
}

/** The cases of the conformance run. */
export async function templateCases(reader: Reader): Promise<Case[]> {
  const reference = await ifThere(readJson<Rendered>(reader, "templates/rendered.json"));
  const cases: Case[] = [];
  for (const file of Object.keys(reference?.rendered ?? {})) {
    const source = await ifThere(reader(`templates/${file}`));
    if (!source || !reference) continue;
    cases.push({
      name: `templates/${file.replace(/\.jinja$/, "")}`,
      computes: false,
      run: async () => {
        const { agreeing, pairs, different } = check(reference, file, decoder.decode(source));
        const causes = KNOWN_DIFFERENCES.filter(({ template }) => template === file);
        const known = different.length === 0 ? causes[0]?.cause : undefined;
        return [differences("conversations that differ", pairs - agreeing, known)];
      },
    });
  }
  return cases;
}

function check(reference: Rendered, file: string, source: string): TemplateReport {
  const template = new ChatTemplate(source, { bosToken: "", eosToken: "", file });
  // llama.cpp ran where UTC is local.
  const now = new Date(reference.now_utc.replace(/Z$/, ""));
  const pairs = Object.entries(reference.rendered[file]);
  const different = pairs.filter(([conversation, wanted]) => {
    const got = outcome(template, reference.conversations[conversation], now);
    return wanted.error === undefined ? got !== wanted.text : got !== undefined;
  });
  const unexplained = different
    .map(([name]) => name)
    .filter((name) => !known.has(`${file} ${name}`));
  return {
    name: `templates/${file}`,
    pass: unexplained.length === 0,
    pairs: pairs.length,
    agreeing: pairs.length - different.length,
    different: unexplained,
  };
}

/** The text, or undefined where the template refuses. */
function outcome(
  template: ChatTemplate,
  variables: Readonly<Record<string, unknown>>,
  now: Date,
): string | undefined {
  try {
    return template.renderVariables(variables, { now });
  } catch (error) {
    if (error instanceof WebggufError && error.code === "template/failed") return undefined;
    throw error;
  }
}
