/** What a terminal gets of texts that are not ours. */
import { describe, expect, it } from "vitest";
import { printable } from "../../cli/terminal.ts";

describe("a model's text for a terminal", () => {
  it("keeps lines and tabs, and loses what could be an escape sequence, cut anywhere", () => {
    const text = "a\u001b[31mred\u001b]0;title\u0007\tb\r\n\u009b2Jc\u007f é😀";
    expect(printable(text)).toBe("a[31mred]0;title\tb\n2Jc é😀");
    for (let at = 0; at <= text.length; at++)
      expect(printable(text.slice(0, at)) + printable(text.slice(at))).toBe(printable(text));
  });
});
