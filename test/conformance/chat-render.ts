/** Conversations made prompts, with all that llama.cpp's chat layer does to the messages before. */

import { WebggufError } from "../../src/base/errors.ts";
import type { ChatMessage, ToolDefinition } from "../../src/chat/messages.ts";
import { ChatTemplate } from "../../src/chat/template.ts";
import type { ChatCase } from "./chat.ts";

export interface RenderCase extends ChatCase {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ToolDefinition[];
  readonly options: {
    readonly add_generation_prompt?: boolean;
    readonly enable_thinking?: boolean;
    readonly continue_final_message?: "content" | "reasoning";
    readonly json_schema?: unknown;
    readonly kwargs?: Readonly<Record<string, unknown>>;
  };
  /** Variables that llama.cpp adds by itself. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly now: string;
  readonly bos: string;
  readonly eos: string;
  readonly expected: { readonly text?: string; readonly error?: string };
}

const templates = new Map<string, ChatTemplate>();

export function renderDifferences(one: RenderCase, source: string): readonly string[] {
  const got = rendered(one, source);
  if (one.expected.error !== undefined) return got instanceof WebggufError ? [] : ["not refused"];
  if (got instanceof WebggufError) return [`refused: ${got.message}`];
  return got === one.expected.text ? [] : ["another text"];
}

/** The prompt, or the template's refusal. */
export function rendered(one: RenderCase, source: string): string | WebggufError {
  const { add_generation_prompt, continue_final_message, enable_thinking, json_schema, kwargs } =
    one.options;
  const key = `${one.template} ${one.bos} ${one.eos}`;
  const facts = { bosToken: one.bos, eosToken: one.eos, file: one.template };
  const template = templates.get(key) ?? new ChatTemplate(source, facts);
  templates.set(key, template);
  try {
    return template.render(one.messages, one.tools, {
      addGenerationPrompt: add_generation_prompt,
      continueFinalMessage: continue_final_message,
      kwargs: {
        ...(enable_thinking !== undefined && { enable_thinking }),
        ...one.context,
        ...kwargs,
        ...(json_schema !== undefined && { response_format: json_schema }),
      },
      now: new Date(one.now),
    });
  } catch (error) {
    if (error instanceof WebggufError && error.code === "template/failed") return error;
    throw error;
  }
}
