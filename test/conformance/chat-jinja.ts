/** Templates by themselves: the same text, or both refuse. */
import { WebggufError } from "../../src/base/errors.ts";
import { ChatTemplate } from "../../src/chat/template.ts";
import type { ChatCase } from "./chat.ts";

export interface JinjaCase extends ChatCase {
  readonly template_text: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly expected: { readonly text?: string; readonly error?: string };
}

export function jinjaDifferences(one: JinjaCase): readonly string[] {
  let text: string;
  try {
    const template = new ChatTemplate(one.template_text, { bosToken: "", eosToken: "" });
    text = template.renderVariables(one.variables);
  } catch (error) {
    if (!(error instanceof WebggufError)) throw error;
    return one.expected.error === undefined ? [`refused: ${error.message}`] : [];
  }
  if (one.expected.error !== undefined) return ["not refused"];
  return text === one.expected.text ? [] : ["another text"];
}
