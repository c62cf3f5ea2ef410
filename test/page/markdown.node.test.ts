/** Markdown that grows: cut anywhere, it is read as the whole is, and what is closed is not read again. */
import { marked } from "marked";
import { describe, expect, it } from "vitest";
import { Blocks } from "../../cli/page/markdown/blocks.ts";

const pieces: readonly string[] = [
  "# Title\n\n",
  "A paragraph with *stress*, `code` and a [link](https://example.org/).\nIts second line.\n\n",
  "Setext\n===\n\n",
  "- one\n- two\n\n  still two\n  - three\n\n\n- four\n\n",
  "1. first\n2. second\n\n   ```js\n   let a = 1;\n   ```\n3. third\n\n",
  "```ts\nconst a = `x`;\n\n~~~\n# no title\n```\n\n",
  "~~~~\n```\nno end of it\n~~~\n~~~~\n",
  "> quoted\n> # title\nlazy\n\n",
  "| a | b |\n|---|--:|\n| 1 | 2 |\n\n",
  "---\n",
  "    indented\n\n    code\n\n",
  "<div>\nhtml *here*\n\n</div>\n\n",
  "[name]: https://example.org/named 'Title'\n\n",
  "See [name] and \\*no stress\\*.\r\n\r\n",
  "\n\n",
  "Text\r\nwith returns\rand more\n\n",
  "```\n",
  "* * *\n\n",
  "- [ ] open\n- [x] done\n\n",
];

/** Numbers that are the same each time. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const html = (blocks: Blocks): string =>
  blocks
    .all()
    .map(({ token }) => marked.parser([token]))
    .join("");

describe("Markdown that grows", () => {
  it("is the same whole and in parts cut anywhere", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const below = random(seed);
      const text = Array.from({ length: 1 + below(7) }, () => pieces[below(pieces.length)]).join(
        "",
      );
      const parts = new Blocks();
      for (let at = 0; at < text.length; ) {
        const end = at + 1 + below(below(4) === 0 ? 40 : 4);
        parts.add(text.slice(at, end));
        at = end;
      }
      expect(html(parts), JSON.stringify(text)).toBe(html(new Blocks(text)));
      expect(html(parts), JSON.stringify(text)).toBe(
        marked.parse(text.replace(/\r$/, ""), { async: false }),
      );
    }
  });

  it("leaves closed blocks as they are", () => {
    const text = pieces.slice(0, 9).join("");
    const blocks = new Blocks();
    let before: unknown[] = [];
    for (const char of text) {
      blocks.add(char);
      expect(blocks.closed.slice(0, before.length).map(({ token }) => token)).toEqual(before);
      before = blocks.closed.map(({ token }) => token);
    }
    expect(before.length).toBeGreaterThan(8);
  });

  it("closes the items of a long list, and keeps their text and numbers", () => {
    const text = Array.from({ length: 1000 }, (_, i) => `${i + 1}. item ${i} of the list\n`).join(
      "",
    );
    const blocks = new Blocks();
    for (let at = 0; at < text.length; at += 200) blocks.add(text.slice(at, at + 200));
    expect(blocks.closed.length).toBeGreaterThan(2);
    const items = blocks.all().flatMap(({ token }) => (token.type === "list" ? token.items : []));
    expect(items.map((item: { text: string }) => item.text)).toEqual(
      Array.from({ length: 1000 }, (_, i) => `item ${i} of the list`),
    );
    const [, second] = blocks.all();
    expect(second.token).toMatchObject({ type: "list", ordered: true });
    expect((second.token as unknown as { start: number }).start).toBeGreaterThan(100);
  });
});
