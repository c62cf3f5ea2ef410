/** The page speaks to readers: no option and no call of the API is in what it says. */
import { describe, expect, it } from "vitest";
import { modelName, tooLong, words } from "../../cli/page/words.ts";
import { type ErrorCode, WebggufError } from "../../src/base/errors.ts";
import { generateRules, loadRules } from "../../src/session/options.ts";
import { sourcesIn, text, code as without } from "../checks/sources.ts";

const options = [...Object.keys(loadRules), ...Object.keys(generateRules)];
const forProgrammers = new RegExp(
  `\\w\\(|\`|\\b(?:${options.filter((name) => /[A-Z]/.test(name)).join("|")})\\b`,
);

/** What the engine says with errors of a code, expressions in it left empty. */
function messagesOf(code: string): string[] {
  const calls = new RegExp(`"${code}",\\s*((?:["\`](?:[^"\`\\\\]|\\\\.)*["\`][\\s+]*)+)`, "g");
  return sourcesIn("src").flatMap((file) =>
    Array.from(without(text(file), true).matchAll(calls), ([, strings]) =>
      strings
        .replace(/\$\{[^}]*\}/g, "…")
        .replace(/["`]\s*\+\s*["`]/g, "")
        .trim()
        .slice(1, -1),
    ).filter((message) => !message.includes("${")),
  );
}

describe("the page's words", () => {
  it.each([
    "device/out-of-memory",
    "device/limit",
    "device/lost",
    "session/disposed",
    "model/no-tokenizer",
    "model/unsupported",
    "gguf/malformed",
    "source/changed",
  ] satisfies ErrorCode[])("for %s name no option and no call", (code) => {
    const messages = messagesOf(code);
    expect(messages.length).toBeGreaterThan(0);
    for (const message of messages) {
      const said = words(new WebggufError(code, message));
      expect(said).not.toMatch(forProgrammers);
      expect(said.startsWith(message.split(";")[0].slice(0, 20))).toBe(true);
    }
  });

  it("cut off the engine's advice, whatever stands in the message", () => {
    const message =
      "Cannot use the chat template of the model: no; x; another one can be given as `template`";
    expect(words(new WebggufError("template/failed", message))).toBe(
      "Cannot use the chat template of the model: no; x; the model may not be made for conversations.",
    );
  });

  it("say how much a message may be", () => {
    expect(tooLong(4096)).toContain("4096 tokens, about 3070 English words");
    expect(tooLong(512)).not.toMatch(forProgrammers);
  });

  it("call a split model by what its files have in common", () => {
    const name = (no: number): string => `big-0000${no}-of-00003.gguf`;
    expect(modelName([name(2), name(1), name(3)])).toBe("big.gguf (3 files)");
    expect(modelName(["small.gguf"])).toBe("small.gguf");
    expect(modelName([name(1)])).toBe(name(1));
  });

  it("for anything else are what was thrown", () => {
    expect(words(new Error("no"))).toBe("no");
    expect(words("no")).toBe("no");
    expect(words(undefined)).toBe("undefined");
  });
});
