/** All templates with conversations as long as real ones get: none goes over its limits. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ChatTemplate } from "../../src/chat/template.ts";
import { toolsOf, turns, withCalls } from "./long-conversations.ts";

const folder = path.resolve("test/fixtures/reference/templates");
const facts = { bosToken: "<s>", eosToken: "</s>" };
const LIMITS = /too much work|nests deeper|nests data|builds a text/;

const failure = (run: () => unknown): string => {
  try {
    run();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("long conversations", () => {
  it.each(readdirSync(folder).filter((file) => file.endsWith(".jinja")))(
    "stay within the limits of %s",
    (file) => {
      const template = new ChatTemplate(readFileSync(path.join(folder, file), "utf8"), facts);
      // A template may refuse a role or tools; that is not what is asked here.
      for (const [messages, tools] of [
        [turns(2000), []],
        [turns(400, true), []],
        [turns(1), toolsOf(200)],
        [withCalls(500), toolsOf(30)],
      ] as const)
        expect(failure(() => template.render(messages, tools))).not.toMatch(LIMITS);
    },
  );
});
