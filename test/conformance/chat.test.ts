/** Prompts and templates of llama.cpp's tests of chats, a few of each kind: the conformance run has all of them. */
import { describe, expect, it } from "vitest";
import { fixture } from "../fixture.ts";
import { type ChatReport, chatRuns } from "./chat.ts";
import { type JinjaCase, jinjaDifferences } from "./chat-jinja.ts";
import { type RenderCase, renderDifferences } from "./chat-render.ts";

const runs = await chatRuns((path) => fixture(`reference/${path}`));
const reports: ChatReport[] = runs.map((one) => one.run());
const failing = (kind: string): string[] =>
  reports
    .filter((one) => one.kind === kind && one.differences.length > 0)
    .map(({ id, differences }) => `${id}: ${differences.join("; ")}`);

describe("llama.cpp's cases of chats", () => {
  it("are there, and their templates", () => {
    expect(runs.filter(({ kind }) => kind === "render").length).toBeGreaterThan(60);
    expect(runs.filter(({ kind }) => kind === "jinja").length).toBeGreaterThan(60);
  });
  it("are the prompts that llama.cpp makes", () => expect(failing("render")).toEqual([]));
  it("are the texts that its Jinja writes", () => expect(failing("jinja")).toEqual([]));

  it("are compared: another text, a refusal and a text in place of one are seen", () => {
    const text = { template_text: "a", variables: {} };
    const jinja = (expected: JinjaCase["expected"], more = {}): readonly string[] =>
      jinjaDifferences({ id: "x", kind: "jinja", ...text, ...more, expected });
    expect(jinja({ text: "a" })).toEqual([]);
    expect(jinja({ text: "b" })).not.toEqual([]);
    expect(jinja({ error: "x" })).not.toEqual([]);
    expect(jinja({ text: "a" }, { template_text: "{{" })).not.toEqual([]);
    const messages = [{ role: "user", content: "hi" }];
    const prompt = (template: string, expected: RenderCase["expected"]): readonly string[] =>
      renderDifferences(
        {
          ...{
            id: "x",
            kind: "render",
            template,
            messages,
            tools: [],
            options: {},
            bos: "",
            eos: "",
          },
          ...{ now: "2025-01-01", expected },
        },
        template,
      );
    expect(prompt("{{ messages[0].content }}", { text: "hi" })).toEqual([]);
    expect(prompt("{{ messages[0].content }}!", { text: "hi" })).not.toEqual([]);
    expect(prompt("{{ raise_exception('no') }}", { text: "hi" })).not.toEqual([]);
    expect(prompt("{{ raise_exception('no') }}?", { error: "x" })).toEqual([]);
    expect(prompt("{{ messages[0].role }}", { error: "x" })).not.toEqual([]);
  });
});
