/** An answer that was broken off goes on in the channel where it stood. */
import { expect, it } from "vitest";
import { loadModel, type Piece } from "../../mod.ts";
import { fixture } from "../fixture.ts";
import { BUNDLED } from "./suite.ts";

/** The prompt ends inside reasoning, which this model never closes: all that it says is reasoning. */
const template =
  "{% for message in messages %}{{ message.content }}{% endfor %}{# </think> #}{{ '<think>' }}";
const messages = [{ role: "user", content: "Once upon a time" }];

it("in its reasoning, after a break and after a limit, but not behind other text", async () => {
  const model = await loadModel(await fixture(BUNDLED), { device: "cpu", maxSequences: 2 });
  const options = { temperature: 0, template: { template }, ignoreEos: true };
  const [first, second] = [model.session(), model.session()];
  const whole = await first.generate(messages, { ...options, maxTokens: 12 });
  expect(whole.message.content).toBe("");
  const pieces: Piece[] = [];
  for await (const piece of second.generate(messages, options)) {
    pieces.push(piece);
    if (pieces.length === 4) break;
  }
  const limited = await second.generate([], { ...options, maxTokens: 4 });
  const rest = await second.generate([], { ...options, maxTokens: 4 });
  for (const { message } of [limited, rest]) {
    expect(message.content).toBe("");
    expect(message.reasoning_content).not.toBe("");
  }
  const texts = [...pieces.map(({ text }) => text), limited, rest].map((part) =>
    typeof part === "string" ? part : part.message.reasoning_content,
  );
  expect(texts.join("").trim()).toBe(whole.message.reasoning_content?.trim());
  const other = await second.generate(" The end.", { ...options, maxTokens: 4 });
  expect(other.message.reasoning_content).toBe(undefined);
  expect(other.message.content).not.toBe("");
  await model.dispose();
});

it("in its reasoning, after its signal fired; where the context is full it is an error, and shorter it goes on", async () => {
  const model = await loadModel(await fixture(BUNDLED), { device: "cpu", contextLength: 32 });
  const options = { temperature: 0, template: { template }, ignoreEos: true };
  const [whole, session] = [model.session(), model.session()];
  const { message } = await whole.generate(messages, { ...options, maxTokens: 12 });
  const controller = new AbortController();
  let said = "";
  await expect(
    (async () => {
      for await (const { text } of session.generate(messages, {
        ...options,
        signal: controller.signal,
      })) {
        said += text;
        if (said.length > 8) controller.abort(new Error("enough"));
      }
    })(),
  ).rejects.toThrow("enough");
  await whole.dispose();
  const rest = await session.generate([], options);
  expect(rest.finishReason).toBe("context");
  expect(rest.message.content).toBe("");
  expect(`${said}${rest.message.reasoning_content}`.trim()).toContain(
    message.reasoning_content?.trim(),
  );
  await expect((async () => session.generate([], options))()).rejects.toMatchObject({
    code: "context/overflow",
  });
  // The question is left out; what was said is not.
  const thought = { role: "assistant", content: "", reasoning_content: said };
  const goesOn = { ...options, maxTokens: 2, template: { template, continueFinalMessage: true } };
  const more = await session.generate(
    [{ role: "user", content: "Once" }, thought],
    goesOn as never,
  );
  expect(more.message.content).toBe("");
  expect(more.message.reasoning_content).not.toBe(undefined);
  await model.dispose();
});
