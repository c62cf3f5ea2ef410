/** Answers with tools: what may stand before calls, and where a grammar of calls begins. */
import { describe, expect, it } from "vitest";
import { AnswerParser, formatsOf } from "../../../src/chat/formats/index.ts";
import { Automaton, type State } from "../../../src/grammar/automaton.ts";
import { toolAnswer } from "../../../src/grammar/tools/answer.ts";
import { random } from "../../fuzz/mutate.ts";
import { walk } from "../json-schema/walk.ts";
import { styled } from "./read-back.ts";

const tools = ["first", "second"].map((name) => ({
  type: "function" as const,
  function: { name, parameters: { properties: { n: { type: "integer", maximum: 99 } } } },
}));
const second = { name: "second" };
const different = [...new Map(styled.map((one) => [JSON.stringify(one.style), one])).values()];

function accepts(automaton: Automaton, text: string): boolean {
  let state: State | null = automaton.start;
  for (const byte of new TextEncoder().encode(text))
    if (!(state = automaton.stepByte(state, byte))) return false;
  return state.complete;
}

describe("an answer with tools", () => {
  it.each(different)("calls the function that is named, as $name has it", ({ source }) => {
    const options = { template: source, prompt: "", tools, toolChoice: second };
    const automaton = new Automaton(toolAnswer(options).grammar);
    const text = walk(automaton, random(3));
    if (text === undefined) return;
    const parser = new AnswerParser(formatsOf(source), { tools });
    const pieces = [...parser.push(text), ...parser.end()];
    const calls = pieces.flatMap(({ toolCall }) => toolCall ?? []);
    expect({ text, names: calls.map(({ name }) => name) }).toEqual({ text, names: ["second"] });
    expect({ text, ends: accepts(automaton, "No.") }).toEqual({ text, ends: false });
  });

  it.each(different)("is free up to a mark of $name, where calls begin", ({ source }) => {
    const options = { template: source, prompt: "", tools, toolChoice: "auto" } as const;
    const { grammar, triggers = [] } = toolAnswer(options);
    expect(triggers.length).toBeGreaterThan(0);
    expect(triggers.every((text) => text.length > 1)).toBe(true);
    const text = walk(new Automaton(grammar), random(5));
    if (text !== undefined)
      expect({ text, begins: triggers.some((one) => text.startsWith(one)) }).toEqual({
        ...{ text, begins: true },
      });
  });

  it("may think before, and ends a thought that the prompt began", () => {
    const { source } = styled.find(({ name }) => name === "Qwen-Qwen3-0.6B")!;
    const call = '<tool_call>\n{"name": "first", "arguments": {"n": 1}}\n</tool_call>';
    const of = (prompt: string): Automaton =>
      new Automaton(
        toolAnswer({ template: source, prompt, tools, toolChoice: "required" }).grammar,
      );
    const fresh = of("<|im_start|>assistant\n");
    expect(accepts(fresh, call)).toBe(true);
    expect(accepts(fresh, `<think>\nHm.\n</think>\n\n${call}`)).toBe(true);
    expect(accepts(fresh, "<think>\nHm.\n</think>\n\nNo.")).toBe(false);
    const inside = of("<|im_start|>assistant\n<think>\n");
    expect(accepts(inside, `Hm.\n</think>\n\n${call}`)).toBe(true);
    expect(accepts(inside, call)).toBe(false);
  });

  it("writes special tokens as such", () => {
    const { source } = styled.find(({ name }) => name === "LFM2-8B-A1B")!;
    const tokenOf = (text: string): number | undefined =>
      text === "<|tool_call_start|>" ? 7 : undefined;
    const options = {
      template: source,
      prompt: "",
      tools,
      toolChoice: "required",
      tokenOf,
    } as const;
    const { start } = new Automaton(toolAnswer(options).grammar);
    expect(start.tokens.map(({ what }) => [...what.ids])).toEqual([[7]]);
  });

  it("is refused where the template shows no format, or the function is none of the tools", () => {
    const other = { name: "third" };
    const { source } = styled[0];
    expect(() =>
      toolAnswer({ template: "{{ messages }}", prompt: "", tools, toolChoice: "required" }),
    ).toThrow(expect.objectContaining({ code: "grammar/unsupported" }));
    expect(() => toolAnswer({ template: source, prompt: "", tools, toolChoice: other })).toThrow(
      expect.objectContaining({ code: "input/invalid", key: "toolChoice" }),
    );
  });
});
