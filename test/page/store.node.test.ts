/** Branches of conversations, and files of them that may be anybody's. */
import { describe, expect, it } from "vitest";
import { exported, imported } from "../../cli/page/store/transfer.ts";
import { branchTo, byParent, newestLeaf, titleOf } from "../../cli/page/store/tree.ts";
import type { Conversation, Message } from "../../cli/page/store/types.ts";

const head: Conversation = {
  id: "c",
  title: "Title",
  created: 1,
  updated: 2,
  leaf: "d",
  preset: "balanced",
  draft: "half",
  start: "b",
};

function message(id: string, parent: string | null, more: Partial<Message> = {}): Message {
  const role = id.startsWith("a") ? "assistant" : "user";
  return {
    id,
    conversation: "c",
    parent,
    role,
    content: `says ${id}`,
    created: id.charCodeAt(id.length - 1),
    ...more,
  };
}

const stats = {
  promptTokens: 1,
  cachedTokens: 2,
  completionTokens: 3,
  promptMs: 4.5,
  completionMs: 6,
  contextUsed: 7,
  contextLength: 8,
};

const all: Message[] = [
  message("b", null, { attachments: [{ name: "x.txt", text: "text" }] }),
  message("a1", "b", { stats, ended: "stop", model: "m", reasoning: "hm" }),
  message("a2", "b", { ended: "error", error: "no", tools: "{}" }),
  message("d", "a1"),
  message("e", "a1"),
];
const tree = new Map(all.map((one) => [one.id, one]));

describe("branches", () => {
  it("lead from the first message to the one that is shown", () => {
    expect(branchTo(tree, "d").map(({ id }) => id)).toEqual(["b", "a1", "d"]);
    expect(branchTo(tree, null)).toEqual([]);
  });

  it("are those with the same parent, and the newest goes on", () => {
    expect(
      byParent(tree)
        .get("b")!
        .map(({ id }) => id),
    ).toEqual(["a1", "a2"]);
    expect(newestLeaf(tree, "b")).toBe("a2");
    expect(newestLeaf(tree, "a1")).toBe("e");
  });

  it("end where a file says that a message follows itself", () => {
    const circle = new Map([
      ["x", message("x", "y")],
      ["y", message("y", "x")],
    ]);
    expect(branchTo(circle, "x").length).toBe(2);
    expect(["x", "y"]).toContain(newestLeaf(circle, "x"));
  });
});

describe("titles", () => {
  it("are the first line, cut between words", () => {
    expect(titleOf("  What is\t7 + 5?\nmore")).toBe("What is 7 + 5?");
    expect(titleOf("")).toBe("New conversation");
    const long = titleOf("word ".repeat(30));
    expect(long.length).toBeLessThanOrEqual(49);
    expect(long).toMatch(/word…$/);
    expect(titleOf("x".repeat(80))).toBe(`${"x".repeat(48)}…`);
  });
});

describe("export and import", () => {
  const json = JSON.stringify(exported([{ head, messages: all }]));

  it("give back the same", () => {
    expect(imported(json)).toEqual([{ head, messages: all }]);
  });

  it("refuse what is no export, in one sentence that says why", () => {
    const parsed = (): { conversations: [{ head: object; messages: object[] }] } =>
      JSON.parse(json);
    const changed = (change: (file: ReturnType<typeof parsed>) => void): string => {
      const file = parsed();
      change(file);
      return JSON.stringify(file);
    };
    const wrong: [string, RegExp][] = [
      ["", /no JSON/],
      ["[]", /no conversations/],
      ["null", /no conversations/],
      ['{"format":"another"}', /no conversations/],
      [json.replace('"version":1', '"version":2'), /later version/],
      [json.replace('"role":"assistant"', '"role":"system"'), /no role "system"/],
      [json.replace('"content":"says d"', '"content":7'), /"content" is missing or no text/],
      [json.replace('"parent":"a1"', '"parent":"gone"'), /follows one that is missing/],
      [json.replace('"leaf":"d"', '"leaf":"gone"'), /last message is missing/],
      [json.replace('"promptMs":4.5', '"promptMs":"4.5"'), /"promptMs"/],
      [json.replace('"ended":"stop"', '"ended":"never"'), /never/],
      [
        changed((file) => file.conversations[0].messages.push(file.conversations[0].messages[0])),
        /one id/,
      ],
      [changed((file) => file.conversations.push({ head: {}, messages: [] })), /"id"/],
    ];
    for (const [text, why] of wrong) expect(() => imported(text), text.slice(0, 80)).toThrow(why);
  });

  it("take over no field that is not theirs", () => {
    const more = json.replace(
      '"content":"says d"',
      '"content":"says d","__proto__":{"x":1},"extra":1',
    );
    expect(imported(more)).toEqual([{ head, messages: all }]);
  });
});
