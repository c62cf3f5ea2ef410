/** Answers under a grammar, from the option to the text. */
import { afterAll, describe, expect, it } from "vitest";
import { type GenerateOptions, loadModel, type Model, type ToolDefinition } from "../../mod.ts";
import { loadModelInWorker, serveModel } from "../../src/worker/mod.ts";
import { fixture } from "../fixture.ts";

const bytes = await fixture("../../models/webgguf-tale-q8_0.gguf");
const load = (more = {}): Promise<Model> =>
  loadModel(bytes, { device: "cpu", contextLength: 192, ...more });
const model = await load();
afterAll(() => model.dispose());

const PROMPT = "Once upon a time";
const person = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 8 },
    age: { type: "integer", minimum: 1, maximum: 99 },
    kind: { enum: ["fox", "wolf"] },
  },
  required: ["name", "age", "kind"],
  additionalProperties: false,
};

async function answer(of: Model, options: GenerateOptions) {
  const session = of.session();
  try {
    const { message, finishReason, usage } = await session.generate(PROMPT, {
      maxTokens: 120,
      seed: 5,
      ...options,
    });
    return { text: message.content!, finishReason, usage };
  } finally {
    await session.dispose();
  }
}

describe("an answer under a grammar", () => {
  const forms: [name: string, form: GenerateOptions, fits: (text: string) => boolean][] = [
    [
      "GBNF",
      { grammar: 'root ::= ("yes" | "no") ", " [a-z]{3,5} "."' },
      (text) => /^(yes|no), [a-z]{3,5}\.$/.test(text),
    ],
    [
      "a schema",
      { jsonSchema: person },
      (text) => {
        const value = JSON.parse(text);
        return (
          Object.keys(value).join() === "name,age,kind" &&
          value.age > 0 &&
          value.age < 100 &&
          /^(fox|wolf)$/.test(value.kind)
        );
      },
    ],
    [
      "a regular expression",
      { regex: "\\d{4}-(0[1-9]|1[0-2])" },
      (text) => /^\d{4}-(0[1-9]|1[0-2])$/.test(text),
    ],
    [
      "a choice",
      { choice: ["left", "right", "straight on"] },
      (text) => ["left", "right", "straight on"].includes(text),
    ],
  ];

  it.each(forms)("is of its form: %s", async (_, form, fits) => {
    for (const temperature of [0, 1, 1.5])
      for (const seed of [1, 2]) {
        const { text, finishReason } = await answer(model, { ...form, temperature, seed });
        expect([text, fits(text), finishReason]).toEqual([text, true, "stop"]);
      }
  });

  it("says that a limit cut it short", async () => {
    const { text, finishReason, usage } = await answer(model, {
      responseFormat: "json_object",
      maxTokens: 3,
    });
    expect([finishReason, usage.completionTokens]).toEqual(["length", 3]);
    expect(text[0]).toBe("{");
    expect((await answer(model, { regex: "a{3000}", maxTokens: -1 })).finishReason).toBe("context");
  });

  it("takes fewer steps than tokens where the text is certain", async () => {
    const { usage } = await answer(model, { jsonSchema: person, temperature: 0 });
    expect(usage.forcedTokens).toBeGreaterThan(4);
    expect(usage.forcedTokens).toBeLessThan(usage.completionTokens);
    expect((await answer(model, { temperature: 0, maxTokens: 3 })).usage.forcedTokens).toBe(
      undefined,
    );
  });

  it("is the same with probabilities, beside others, with drafts, and in a worker", async () => {
    const options: GenerateOptions = { jsonSchema: person, temperature: 1 };
    const { text } = await answer(model, options);
    // In every runtime.
    expect(text).toBe('{\n "name": "You are?", "age":5, "kind": "wolf"\n                    }');
    expect((await answer(model, { ...options, logprobs: 1 })).text).toBe(text);
    expect((await answer(model, { ...options, speculation: "ngram" })).text).toBe(text);
    const several = await load({ maxSequences: 8 });
    const beside = Array.from({ length: 7 }, (_, seed) =>
      answer(several, { maxTokens: 20, seed, ...(seed < 3 && { jsonSchema: person }) }),
    );
    expect((await answer(several, options)).text).toBe(text);
    await Promise.all(beside);
    await several.dispose();
    const { port1, port2 } = new MessageChannel();
    serveModel(port1);
    const there = await loadModelInWorker(port2, bytes, { device: "cpu", contextLength: 192 });
    expect((await answer(there, options)).text).toBe(text);
    await expect(answer(there, { grammar: "root ::=" + ' "' })).rejects.toMatchObject({
      ...{ code: "grammar/invalid", offset: 9 },
    });
    await there.dispose();
    port1.close();
  });

  it("goes on with itself in mind where it is drafted", async () => {
    const options: GenerateOptions = {
      grammar: 'root ::= "the fox and the wolf, the fox and " [a-z]+ "."',
      temperature: 0,
    };
    const plain = await answer(model, options);
    const drafted = await answer(model, { ...options, speculation: "ngram" });
    expect(drafted.text).toBe(plain.text);
    // What is certain rides along beside drafts, and both are counted.
    const both = { jsonSchema: person, temperature: 0, speculation: "ngram" } as const;
    const { usage } = await answer(model, both);
    const steps = usage.speculation!.steps;
    expect(usage.forcedTokens).toBeGreaterThan(4);
    expect(steps).toBeLessThanOrEqual(usage.completionTokens - usage.forcedTokens!);
  });

  it("may be free until a trigger comes", async () => {
    const grammar = 'root ::= "." "!" [0-9] ";"';
    let triggered = 0;
    for (let seed = 0; seed < 6; seed++) {
      const { text, finishReason } = await answer(model, {
        grammar,
        grammarTriggers: ["."],
        seed,
        temperature: 0.5,
        maxTokens: 40,
      });
      const at = text.indexOf(".");
      if (at < 0) expect(text.length).toBeGreaterThan(0);
      else {
        triggered++;
        expect([text.slice(at), finishReason]).toEqual([
          expect.stringMatching(/^\.![0-9];$/),
          "stop",
        ]);
      }
    }
    expect(triggered).toBeGreaterThan(0);
  });

  it("follows the grammar against every other option", async () => {
    const most: GenerateOptions = {
      regex: "[xyz]{4}",
      topK: 1,
      ignoreEos: true,
      logitBias: { 1: 50 },
    };
    expect((await answer(model, most)).text).toMatch(/^[xyz]{4}$/);
    const { tokenizer } = model;
    const banned: Record<number, number> = {};
    for (let id = 0; id < tokenizer.size; id++)
      if (/[xyz]/.test(tokenizer.decode([id]))) banned[id] = Number.NEGATIVE_INFINITY;
    expect((await answer(model, { ...most, logitBias: banned })).text).toMatch(/^[xyz]{4}$/);
  });
});

describe("an answer with tools", () => {
  const template =
    "{% if tools %}{{ tools | length }}{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}" +
    "{% for call in tool_calls %}<tool_call>\n{{ call | tojson }}\n</tool_call>{% endfor %}" +
    '{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>';
  const tool = (name: string): ToolDefinition => ({
    type: "function" as const,
    function: { name, parameters: person },
  });
  const ask = (more: GenerateOptions) =>
    model.session().generate([{ role: "user", content: "The fox" }], {
      ...{ template: { template }, tools: [tool("find"), tool("hide")], maxTokens: 120, seed: 3 },
      ...more,
    });

  it("calls a function where it must, with arguments of its schema", async () => {
    for (const toolChoice of ["required", { name: "hide" }] as const) {
      const { message, finishReason } = await ask({ toolChoice, parallelToolCalls: false });
      expect(finishReason).toBe("tool-calls");
      const [call] = message.tool_calls!;
      if (toolChoice !== "required") expect(call.function.name).toBe("hide");
      expect(Object.keys(JSON.parse(String(call.function.arguments)))).toEqual([
        "name",
        "age",
        "kind",
      ]);
    }
  });

  it("leaves prose alone with auto, and knows no tools with none", async () => {
    const free = await ask({ maxTokens: 20 });
    const auto = await ask({ maxTokens: 20, toolChoice: "auto" });
    expect(auto.message).toEqual(free.message);
    const none = await ask({ maxTokens: 5, toolChoice: "none" });
    const without = await ask({ maxTokens: 5, tools: [] });
    expect(none.usage.promptTokens).toBe(without.usage.promptTokens);
  });
});

describe("what cannot be followed", () => {
  const wrong: [GenerateOptions, string, RegExp][] = [
    [{ grammar: "root ::= (" }, "grammar/invalid", /column 11/],
    [{ regex: "(a" }, "grammar/invalid", /regular expression/],
    [{ regex: "(a)\\1" }, "grammar/unsupported", /regular expression/],
    [{ choice: [] }, "grammar/invalid", /no text at all/],
    [{ choice: ["a"], regex: "b" }, "input/invalid", /regex and choice/],
    [{ toolChoice: "auto" }, "input/invalid", /without tools/],
    [{ grammarTriggers: ["a"] }, "input/invalid", /grammarTriggers/],
    [{ jsonSchema: { type: "no such" } }, "grammar/invalid", /type/],
  ];
  it.each(wrong)("is refused before anything is computed: %j", async (options, code, message) => {
    const session = model.session();
    await expect(session.generate(PROMPT, options)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(session.tokens).toEqual([]);
    await session.dispose();
  });
});
