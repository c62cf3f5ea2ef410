/** Tokens of templates: white space around tags, and what stands inside them. */
import { describe, expect, it } from "vitest";
import { TemplateError } from "../../src/jinja/errors.ts";
import { tokenize } from "../../src/jinja/lexer.ts";

/** The text outside of tags, with the content of each tag in its place as `<…>`. */
function layout(source: string): string {
  const write = { "{{": "<", "{%": "<", "}}": ">", "%}": ">" } as Record<string, string>;
  return tokenize(source)
    .map(({ kind, value }) => write[kind] ?? value)
    .join("");
}

/** The tokens inside `{{ … }}`. */
const inside = (expression: string): string[] =>
  tokenize(`{{ ${expression} }}`)
    .slice(1, -2)
    .map(({ kind, value }) => `${kind} ${value}`);

describe("white space", () => {
  it.each([
    ["a line break behind a block tag goes with it", "a{% x %}\n\nb", "a<x>\nb"],
    ["so do the spaces before it on its line", "a\n \t{% x %}b", "a\n<x>b"],
    ["at the very beginning too", "  {% x %}b", "<x>b"],
    ["but not between tags of one line", "{% x %}  {% y %}", "<x>  <y>"],
    ["nor after other text", "a  {% x %}", "a  <x>"],
    ["expressions leave white space alone", "a\n  {{ x }}\nb", "a\n  <x>\nb"],
    ["comments take it like blocks", "a\n  {# x #}\nb", "a\nb"],
    ["a whole line that is a tag vanishes", "a\n  {% x %}\nb", "a\n<x>b"],
    ["the last line break of the template goes", "a\n\n", "a\n"],
    ["`-` takes all of it before", "a \n\n {%- x %} b", "a<x> b"],
    ["`-` takes all of it behind", "a {% x -%} \n\n b", "a <x>b"],
    ["`-` works on expressions", "a \n{{- x -}}\n b", "a<x>b"],
    ["`-` works on comments", "a \n{#- x -#}\n b", "ab"],
    ["`+` keeps spaces before a block", "a\n  {%+ x %}", "a\n  <x>"],
    ["`+` keeps the line break behind a block", "{% x +%}\nb", "<x>\nb"],
    ["braces that close a mapping do not close its tag", "{{{'a':{}}}}b", "<{a:{}}>b"],
    ["nor do they in front of the tag's own", "{{ {1:2}}}b", "<{1:2}>b"],
    ["a minus inside of a tag is none of this", "{{ a - b }} {{ 'x-' }} c", "<a-b> <x-> c"],
  ])("%s", (_, source, wanted) => {
    expect(layout(source)).toBe(wanted);
  });
});

describe("raw blocks", () => {
  it.each([
    ["hold tags as text", "a{% raw %} {{ x }} {% if %} {% endraw %}b", "a {{ x }} {% if %} b"],
    ["take white space as their tags say", "{%- raw -%} \n {{ \n {%- endraw -%} \n b", "{{b"],
    ["end like other blocks", "{% raw %}\n{{\n  {% endraw %}\nb", "\n{{\nb"],
  ])("%s", (_, source, wanted) => {
    expect(layout(source)).toBe(wanted);
  });
});

describe("the inside of a tag", () => {
  it.each([
    [`'it\\'s' "a\\n\\t\\\\" '\\x41\\u00e9'`, ["string it's", "string a\n\t\\", "string Aé"]],
    [`'%}' "}}" '{#'`, ["string %}", "string }}", "string {#"]],
    ["1 2.50 1e3 1.5e-2", ["integer 1", "float 2.50", "float 1e3", "float 1.5e-2"]],
    ["a.0.1", ["name a", "operator .", "integer 0", "operator .", "integer 1"]],
    ["a**b*c//d", "name a|operator **|name b|operator *|name c|operator //|name d".split("|")],
    ["a<=b==c!=d", "name a|operator <=|name b|operator ==|name c|operator !=|name d".split("|")],
    ["naïve _x1", ["name naïve", "name _x1"]],
    [
      "{'a':{'b':1}}",
      "operator {|string a|operator :|operator {|string b|operator :|integer 1|operator }|operator }".split(
        "|",
      ),
    ],
  ])("%s", (expression, wanted) => {
    expect(inside(expression)).toEqual(wanted);
  });
  it("remembers where each token stands", () => {
    const source = "ab{{ c + 'd' }}e";
    for (const { kind, value, at } of tokenize(source))
      if (kind !== "end") expect(source.slice(at)).toMatch(kind === "string" ? /^'d/ : value[0]);
  });
});

describe("text that is no template", () => {
  it.each([
    ["a\n {# b", "the comment has no end", 2, 2],
    ["{{ a", "the tag has no end", 1, 1],
    ["a\n\n{% if 'b", "the string has no end", 3, 7],
    ["{{ 'a\n\\q' }}", 'there is no escape "\\\\q"', 2, 1],
    ["{{ '\\x4' }}", "there is no escape", 1, 5],
    ["{{ a ? b }}", 'there is a stray "?"', 1, 6],
    ["{% raw %}\nx", "the raw block has no end", 1, 1],
  ])("%j", (source, problem, line, column) => {
    let error: unknown;
    try {
      tokenize(source);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TemplateError);
    expect(error).toMatchObject({ line, column });
    expect((error as Error).message).toBe(
      `${(error as Error).message.split(" (line")[0]} (line ${line}, column ${column})`,
    );
    expect((error as Error).message).toContain(problem);
  });
});
