/** Answers that were cut off, and last messages, go on in the channel where they stood. */
import { describe, expect, it } from "vitest";
import { type ChatMessage, loadModel, type Piece } from "../../mod.ts";
import { fixture } from "../fixture.ts";

const bytes = await fixture("../../models/webgguf-tale-q8_0.gguf");
const model = await loadModel(bytes, { device: "cpu", contextLength: 128 });
const THINKS =
  "{% for m in messages %}<{{ m.role }}>{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}{% endfor %}" +
  "{% if add_generation_prompt %}<assistant><think>{% endif %}";
const template = { template: THINKS };
const said: ChatMessage[] = [{ role: "user", content: "The fox has" }];
const how = { temperature: 0, maxTokens: 4, ignoreEos: true };
const channels = async (pieces: AsyncIterable<Piece>): Promise<Set<string>> => {
  const found = new Set<string>();
  for await (const { channel, text } of pieces) if (text !== "") found.add(channel);
  return found;
};

describe("an answer goes on", () => {
  it("after a limit, a break, and another limit, in its reasoning", async () => {
    const session = model.session();
    const options = { ...how, template };
    expect(await channels(session.generate(said, options))).toEqual(new Set(["reasoning"]));
    for await (const { channel } of session.generate([], options)) {
      expect(channel).toBe("reasoning");
      break;
    }
    const { message } = await session.generate([], options);
    expect(message.content).toBe("");
    expect(message.reasoning_content?.length).toBeGreaterThan(0);
    // What is said anew is another answer.
    expect(await channels(session.generate(" The", how))).toEqual(new Set(["content"]));
    expect(await channels(session.generate([], how))).toEqual(new Set(["content"]));
  });

  it("from its beginning in the last message, there too", async () => {
    const answer = (
      message: Partial<ChatMessage>,
      channel: true | "content" | "reasoning" = true,
    ) =>
      channels(
        model.session().generate([...said, { role: "assistant", ...message }], {
          ...how,
          template: { ...template, continueFinalMessage: channel },
        }),
      );
    expect(await answer({ content: "a red" })).toEqual(new Set(["content"]));
    expect(await answer({ content: "", reasoning_content: "a red" })).toEqual(
      new Set(["reasoning"]),
    );
    expect(await answer({ content: "", reasoning_content: "a red" }, "content")).toEqual(
      new Set(["content"]),
    );
  });
});

describe("the prompt of an answer that goes on", () => {
  const prompt = (last: ChatMessage, channel: true | "content" | "reasoning" = true): string =>
    model.render([...said, last], { template: { ...template, continueFinalMessage: channel } })
      .text;
  const assistant = (content: string, reasoning_content?: string): ChatMessage => ({
    role: "assistant",
    content,
    ...(reasoning_content !== undefined && { reasoning_content }),
  });
  it("ends where the message does", () => {
    const head = "<user>The fox has<assistant><think>";
    expect(prompt(assistant("", "hm"))).toBe(`${head}hm`);
    expect(prompt(assistant("Red", "hm"))).toBe(`${head}hm</think>Red`);
    expect(prompt(assistant("Red", "hm"), "reasoning")).toBe(`${head}hm`);
    expect(prompt(assistant("Red"))).toBe(`${head}</think>Red`);
  });
  it("is refused for what somebody else said", () => {
    expect(() => prompt({ role: "user", content: "x" })).toThrow("user");
  });
});
