/** Texts from files in messages. */
import { describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import { oneLine, quoted } from "../../src/base/text.ts";
import { random } from "../fuzz/mutate.ts";

/** What moves a cursor, colours or hides text, or ends a line. */
const unseen = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

/** Letters of all kinds, control characters, halves of pairs and marks of direction. */
function strange(below: (n: number) => number): string {
  const kinds = [32, 128, 160, 0x2100, 0xdfff, 0x10000];
  return Array.from({ length: below(200) }, () =>
    below(5) === 0 ? "😀" : String.fromCharCode(below(kinds[below(kinds.length)])),
  ).join("");
}

describe("a text from a file in a message", () => {
  it("is quoted, short, on one line, and says what it was where that is short", () => {
    const below = random(5);
    for (let i = 0; i < 3000; i++) {
      const text = strange(below);
      const shown = quoted(text);
      expect(unseen.test(shown)).toBe(false);
      expect(shown[0] + shown.at(-1)).toBe('""');
      expect([...(JSON.parse(shown) as string)].length).toBeLessThanOrEqual(61);
      if ([...text].length <= 60) expect(JSON.parse(shown)).toBe(text);
    }
  });

  it("is cut between characters, and soon, whatever its length", () => {
    expect(quoted("😀".repeat(1 << 20), 3)).toBe('"😀😀😀…"');
    expect(quoted("abc", 3)).toBe('"abc"');
  });
});

describe("the message of an error", () => {
  it("has no control characters, whatever was put into it", () => {
    const below = random(6);
    for (let i = 0; i < 1000; i++) {
      const { message } = new WebggufError("source/io", `Cannot read ${strange(below)}: why`);
      expect(unseen.test(message)).toBe(false);
    }
    expect(oneLine("one\r\n  two\n")).toBe("one two ");
  });
});
