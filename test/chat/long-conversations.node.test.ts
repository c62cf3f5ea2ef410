/** Ordinary long conversations stay within the limits of every template, on any machine. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ChatTemplate } from "../../src/chat/template.ts";
import { toolsOf, turns, withCalls } from "./long-conversations.ts";

const folder = path.resolve("test/fixtures/reference/templates");
const facts = { bosToken: "<s>", eosToken: "</s>" };
const now = performance.now;
afterEach(() => {
  performance.now = now;
});

describe("long conversations", () => {
  it.each([
    ["gemma-4, 400 long turns", "google-gemma-4-31B-it", turns(400, true), []],
    ["gpt-oss, 2,000 messages", "openai-gpt-oss-120b", turns(2000), []],
    ["Qwen3.5, 2,000 messages", "Qwen3.5-4B", turns(2000), []],
    ["functionary, 30 tools", "meetkai-functionary-medium-v3.2", turns(1), toolsOf(30)],
    ["DeepSeek V3.2, 100 calls", "deepseek-ai-DeepSeek-V3.2", withCalls(100), toolsOf(30)],
  ])("pass, however slow the clock says the machine is: %s", (_, file, messages, tools) => {
    let clock = 0;
    performance.now = () => (clock += 10_000);
    const template = new ChatTemplate(readFileSync(`${folder}/${file}.jinja`, "utf8"), facts);
    const specials = ["<|im_start|>", "<|im_end|>", "<think>", "</think>", "<|channel|>"];
    expect(template.renderSegments(messages, tools, {}, specials).length).toBeGreaterThan(0);
  });
});
