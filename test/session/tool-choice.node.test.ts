/** Tool calls of a model that knows none: the choice alone makes them, in each family's marks. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { type GenerateOptions, loadModel } from "../../mod.ts";
import { validator } from "../grammar/json-schema/validator.ts";

const file = (path: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)));
const model = await loadModel(new Blob([new Uint8Array(file("models/webgguf-tale-q8_0.gguf"))]), {
  device: "cpu",
});
afterAll(() => model.dispose());

const parameters = {
  type: "object",
  properties: {
    city: { type: "string", minLength: 1, maxLength: 6 },
    unit: { enum: ["celsius", "fahrenheit"] },
    days: { type: "integer", minimum: 1, maximum: 14 },
  },
  required: ["city", "days"],
};
const tools = ["get_weather", "get_news"].map((name) => ({
  type: "function" as const,
  function: { name, description: name, parameters },
}));
const question = [{ role: "user", content: "Once upon a time" }];
const valid = validator(parameters);

/** Templates that write a question alone, and in a comment show how their models call. */
const templates = [
  ["Hermes", "<tool_call>"],
  ["Qwen3-Coder", "<tool_call> <function="],
  ["GLM", "<tool_call> <arg_key>"],
  ["LFM2", "<|tool_call_start|>"],
  ["Llama 3", '{"name": function name, "parameters"'],
  ["Mistral", "[TOOL_CALLS] [ARGS]"],
].map(([name, shown]) => [name, `{{ messages[0].content }}{# ${shown} #}`] as const);

async function ask(template: string, options: GenerateOptions) {
  const session = model.session();
  const stream = session.generate(question, {
    ...{ template: { template }, tools, maxTokens: 200, temperature: 1.2, seed: 3 },
    ...options,
  });
  const written = new Map<number, string>();
  for await (const { toolCallPart: part } of stream)
    if (part) written.set(part.index, (written.get(part.index) ?? "") + part.arguments);
  const { message, finishReason } = await stream;
  await session.dispose();
  const calls = (message.tool_calls ?? []).map((call) => call.function);
  return { calls, content: message.content, finishReason, written: [...written.values()] };
}

describe("toolChoice", () => {
  it.each(templates)(
    "makes calls whose arguments validate, as %s writes them",
    async (_, source) => {
      const one = await ask(source, { toolChoice: { name: "get_news" } });
      expect(one.calls.map(({ name }) => name)).toEqual(["get_news"]);
      const any = await ask(source, { toolChoice: "required", parallelToolCalls: false });
      expect(any.calls.length).toBe(1);
      for (const { calls, finishReason, content, written } of [one, any]) {
        expect(finishReason).toBe("tool-calls");
        expect(content).toBeNull();
        for (const call of calls)
          expect([call, valid(JSON.parse(String(call.arguments)))]).toEqual([call, true]);
        // What was streamed is what was called.
        expect(written).toEqual(calls.map((call) => call.arguments));
      }
    },
  );

  it("leaves prose alone with auto, and offers nothing with none", async () => {
    const [, source] = templates[0];
    const free = await ask(source, { toolChoice: "auto", temperature: 0 });
    const without = await ask(source, { temperature: 0 });
    expect(free).toEqual(without);
    expect(free.content).not.toBe("");
    const none = await ask(source, { toolChoice: "none", temperature: 0 });
    expect(none).toEqual(await ask(source, { tools: undefined, temperature: 0 }));
  });

  it("is refused where it cannot be enforced, before anything is generated", async () => {
    const session = model.session();
    const of = (options: GenerateOptions): Promise<unknown> =>
      Promise.resolve(session.generate(question, { maxTokens: 5, ...options }));
    const [, source] = templates[0];
    const template = { template: source };
    await expect(of({ template, toolChoice: "required" })).rejects.toMatchObject({
      code: "input/invalid",
    });
    await expect(of({ template, tools, toolChoice: { name: "other" } })).rejects.toMatchObject({
      code: "input/invalid",
    });
    await expect(
      of({ template: { template: "{{ messages[0].content }}" }, tools, toolChoice: "required" }),
    ).rejects.toMatchObject({ code: "grammar/unsupported" });
    await expect(
      of({ template, tools, toolChoice: "required", jsonSchema: true }),
    ).rejects.toMatchObject({ code: "input/invalid" });
    await session.dispose();
  });
});
