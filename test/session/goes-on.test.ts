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
