/** What the options of rendering may be. */
import { flag, json, objectOf, oneOf, type Rules, rule, text } from "../base/options.ts";
import { toolsRule } from "./check.ts";
import type { Continuation } from "./continue.ts";
import type { RenderOptions } from "./render.ts";
import type { ChatTemplateOptions } from "./template.ts";

/** What {@link RenderOptions} may be. */
export const renderRules: Rules<RenderOptions> = {
  template: objectOf<ChatTemplateOptions>({
    template: text,
    addGenerationPrompt: flag,
    continueFinalMessage: oneOf<false | Continuation>(false, true, "reasoning", "content"),
    kwargs(value, name) {
      objectOf({}, [], true)(value, name);
      json(value, name);
    },
    now: rule("a Date", (now) => now instanceof Date && !Number.isNaN(+now)),
  }),
  tools: toolsRule,
  reasoning: flag,
};
