/**
 * Cases of llama.cpp's tests of chats, of each format and each kind of answer: what an answer says in
 * the end, and that no cut contradicts it. `npm run conformance` runs all of them.
 */
import { describe, expect, it } from "vitest";
import { type ParseCase, parseDifferences } from "../conformance/chat-parse.ts";
import { fixtureText } from "../fixture.ts";
import { KNOWN_CHAT_DIFFERENCES } from "./chat-known.ts";

const cases = (await fixtureText("chat/parse.jsonl"))
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as ParseCase);

const templateOf = async ({ template }: ParseCase): Promise<string> =>
  template === undefined ? "" : fixtureText(`reference/templates/${template}`);

describe("answers of llama.cpp's tests", () => {
  it.each(cases)("$id", async (one) => {
    expect(parseDifferences(one, await templateOf(one))).toEqual([]);
  });

  it("are compared: another expectation, or a mark as content, is seen", async () => {
    const [one] = cases.filter(({ expected }) => expected.tool_calls.length === 1);
    const source = await templateOf(one);
    const [call] = one.expected.tool_calls;
    for (const expected of [
      { ...one.expected, content: "Other." },
      { ...one.expected, reasoning_content: "Other." },
      { ...one.expected, tool_calls: [] },
      { ...one.expected, tool_calls: [{ ...call, name: "other" }] },
      { ...one.expected, tool_calls: [{ ...call, arguments: { other: 1 } }] },
    ])
      expect(parseDifferences({ ...one, expected }, source)).not.toEqual([]);
    // Without its formats the answer is content, marks and all.
    expect(parseDifferences({ ...one, formats_of: "nothing" }, source)).not.toEqual([]);
  });

  it("that may differ are each known by one cause", () => {
    const ids = KNOWN_CHAT_DIFFERENCES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(cases.filter(({ id }) => ids.includes(id))).toEqual([]);
  });
});
