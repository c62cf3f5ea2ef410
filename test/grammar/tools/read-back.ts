/**
 * Required calls in the format of every template: what the grammar allows is read back by the
 * answer parser as calls of the tools that were offered, with arguments that validate.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { WebggufError } from "../../../src/base/errors.ts";
import { AnswerParser, formatsOf } from "../../../src/chat/formats/index.ts";
import type { ToolDefinition } from "../../../src/chat/messages.ts";
import { Automaton } from "../../../src/grammar/automaton.ts";
import { GrammarBuilder } from "../../../src/grammar/grammar.ts";
import { callsTerm } from "../../../src/grammar/tools/calls.ts";
import { type CallStyle, callStyleOf } from "../../../src/grammar/tools/styles.ts";
import { random } from "../../fuzz/mutate.ts";
import { randomSchema } from "../json-schema/random-schema.ts";
import { validator } from "../json-schema/validator.ts";
import { walk } from "../json-schema/walk.ts";

const folder = fileURLToPath(new URL("../../fixtures/reference/templates/", import.meta.url));
export const templates: readonly (readonly [name: string, source: string])[] = readdirSync(folder)
  .filter((name) => name.endsWith(".jinja"))
  .map((name) => [name.slice(0, -6), readFileSync(folder + name, "utf8")] as const);

/** Schemas of arguments: plain ones of each kind, and random ones whose names every format can write. */
function toolsFor(seed: number): ToolDefinition[] {
  const named = (name: string, parameters?: Record<string, unknown>): ToolDefinition => ({
    type: "function",
    function: { name, ...(parameters && { parameters }) },
  });
  const schema = JSON.parse(
    JSON.stringify(randomSchema(seed, { bounded: true })).replaceAll('q\\"', "q2"),
  );
  return [
    named("get_weather", {
      properties: {
        city: { type: "string", minLength: 1 },
        unit: { enum: ["celsius", "12", 12, "true", null] },
        note: { type: ["string", "number"] },
        code: { type: "string", pattern: "^<b>.*$" },
        list: { type: "array", items: { type: "string" }, maxItems: 2 },
      },
      required: ["city"],
    }),
    named("no_arguments"),
    named("random.tool", schema),
  ];
}

function parses(json: string): boolean {
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}

export interface Styled {
  readonly name: string;
  readonly source: string;
  readonly style: CallStyle;
}

/** The templates for which it is known how calls are written. */
export const styled: readonly Styled[] = templates.flatMap(([name, source]) => {
  const style = callStyleOf(source);
  return style ? [{ name, source, style }] : [];
});

/** Walks over the calls of a format: `seeds` sets of tools, `count` texts of each. */
export function readBack({ source, style }: Styled, seeds: number, count: number): void {
  let [calls, walks] = [0, 0];
  for (let seed = 1; seed <= seeds; seed++) {
    const tools = toolsFor(seed);
    const builder = new GrammarBuilder();
    let automaton: Automaton;
    try {
      const parallel = seed % 2 === 0;
      automaton = new Automaton(builder.build(callsTerm(builder, style, tools, { parallel })));
    } catch (error) {
      expect(error).toBeInstanceOf(WebggufError);
      continue;
    }
    const below = random(seed);
    for (let i = 0; i < count; i++) {
      const text = walk(automaton, below);
      if (text === undefined) continue;
      walks++;
      const parser = new AnswerParser(formatsOf(source), { tools });
      const pieces = [...parser.push(text), ...parser.end()];
      const said = pieces.filter(({ channel, text }) => channel !== "tool" && text.trim() !== "");
      expect({ text, said }).toEqual({ text, said: [] });
      const made = pieces.flatMap(({ toolCall }) => toolCall ?? []);
      expect({ text, some: made.length > 0 }).toEqual({ text, some: true });
      if (seed % 2 === 1) expect({ text, count: made.length }).toEqual({ text, count: 1 });
      for (const { name, arguments: json, unfinished } of made) {
        calls++;
        const tool = tools.find((one) => one.function.name === name)!;
        const { parameters = {} } = tool.function;
        expect({ text, json, parses: parses(json) }).toEqual({ text, json, parses: true });
        const valid = validator(parameters)(JSON.parse(json));
        expect({ text, name, json, valid, unfinished }).toEqual({
          ...{ text, name, json, valid: true, unfinished: undefined },
        });
      }
    }
  }
  expect(walks).toBeGreaterThan(0);
  expect(calls).toBeGreaterThanOrEqual(walks);
}
