/** What templates do when they run: scopes, loops, macros, and the places of errors. */
import { describe, expect, it } from "vitest";
import { TemplateError } from "../../src/jinja/errors.ts";
import { parseTemplate } from "../../src/jinja/parser.ts";
import { renderTemplate } from "./render.ts";

const limits = { now: new Date(0) };
const show = (source: string, variables: Record<string, unknown> = {}): string =>
  renderTemplate(parseTemplate(source), variables, limits);

function failure(source: string, variables: Record<string, unknown> = {}): TemplateError {
  try {
    show(source, variables);
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("loops", () => {
  it.each([
    [
      "keep what was written before a break",
      "ab",
      "{% for x in [1, 2] %}a{% if x %}b{% break %}{% endif %}{% endfor %}",
    ],
    ["and before a continue", "abab", "{% for x in [1, 2] %}ab{% continue %}c{% endfor %}"],
    [
      "leave the inner loop alone",
      "1.2.",
      "{% for x in [1, 2] %}{% for y in [3, 4] %}{% break %}{% endfor %}{{ x }}.{% endfor %}",
    ],
    [
      "know where they are",
      "1 0 3 2 True False|2 1 2 1 False False|3 2 1 0 False True|",
      "{% for x in 'abc' %}{{ loop.index }} {{ loop.index0 }} {{ loop.revindex }} {{ loop.revindex0 }} {{ loop.first }} {{ loop.last }}|{% endfor %}",
    ],
    [
      "and who their neighbours are",
      "-ab|abc|bc-|",
      "{% for x in 'abc' %}{{ loop.previtem or '-' }}{{ x }}{{ loop.nextitem or '-' }}|{% endfor %}",
    ],
    [
      "count what their filter leaves",
      "b1/1",
      "{% for x in 'abc' if x == 'b' %}{{ x }}{{ loop.index }}/{{ loop.length }}{% endfor %}",
    ],
    [
      "have their else for an empty list and one that the filter empties",
      "ee",
      "{% for x in [] %}{% else %}e{% endfor %}{% for x in [1] if x > 1 %}{% else %}e{% endfor %}",
    ],
    [
      "choose their list with if and else",
      "2",
      "{% for x in [1] if no else [2] %}{{ x }}{% endfor %}",
    ],
    [
      "unpack",
      "a1b2c3",
      "{% for a, (b, c) in [['a', [1, 'b']], [2, ['c', 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    ],
    [
      "do not touch variables of the same name, nor does their filter",
      "0",
      "{% set x = 0 %}{% for x in [1] if x %}{% endfor %}{{ x }}",
    ],
    [
      "keep their variables to themselves",
      "0",
      "{% set x = 0 %}{% for x in [1] %}{% set x = 2 %}{% endfor %}{{ x }}",
    ],
  ])("%s", (_, wanted, source) => {
    expect(show(source)).toBe(wanted);
  });
});

describe("macros", () => {
  it.each([
    [
      "take arguments by place, by name, or their defaults",
      "1-2 1-y x-2",
      "{% macro m(a='x', b='y') %}{{ a }}-{{ b }}{% endmacro %}{{ m(1, 2) }} {{ m(1) }} {{ m(b=2) }}",
    ],
    [
      "defaults see earlier parameters",
      "2-4",
      "{% macro m(a, b=a * 2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(2) }}",
    ],
    [
      "take more where they read it",
      "(2, 3){'k': 4}",
      "{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, k=4) }}",
    ],
    [
      "see the variables of where they stand, not of where they are called",
      "outer",
      "{% set x = 'outer' %}{% macro m() %}{{ x }}{% endmacro %}{% for x in ['loop'] %}{{ m() }}{% endfor %}",
    ],
    [
      "call themselves",
      "321",
      "{% macro m(n) %}{{ n }}{% if n > 1 %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(3) }}",
    ],
    [
      "hand values to a call block",
      "<b>1</b>",
      "{% macro m(t) %}<{{ t }}>{{ caller(1) }}</{{ t }}>{% endmacro %}{% call(x) m('b') %}{{ x }}{% endcall %}",
    ],
    [
      "have no caller without a call block",
      "True",
      "{% macro m() %}{{ caller is undefined }}{% endmacro %}{{ m() }}",
    ],
  ])("%s", (_, wanted, source) => {
    expect(show(source)).toBe(wanted);
  });
});

describe("lists", () => {
  const people = [
    { name: "b", age: 2 },
    { name: "a", age: 1 },
    { name: "c", age: 2 },
    { name: "d", age: 1 },
  ];
  it.each([
    [
      "sort keeps the order of equal entries",
      "adbc",
      "{{ people|sort(attribute='age')|map(attribute='name')|join }}",
    ],
    [
      "so does the reverse",
      "bcad",
      "{{ people|sort(true, attribute='age')|map(attribute='name')|join }}",
    ],
    [
      "dictsort goes by key or value",
      "[('a', 2), ('b', 1)][('b', 1), ('a', 2)]",
      "{{ {'b': 1, 'a': 2}|dictsort }}{{ {'b': 1, 'a': 2}|dictsort(by='value') }}",
    ],
    [
      "min and max find the first of equal ones",
      "a2 b2",
      "{{ (people|min(attribute='age')).name }}{{ people|length - 2 }} {{ (people|max(attribute='age')).name }}2",
    ],
    [
      "select and reject divide a list",
      "[1, 3][2]",
      "{{ [1, 2, 3]|select('odd')|list }}{{ [1, 2, 3]|reject('odd')|list }}",
    ],
    [
      "slices follow Python",
      "[2, 3][3, 2, 1][1, 3][]",
      "{% set l = [1, 2, 3] %}{{ l[-2:] }}{{ l[::-1] }}{{ l[::2] }}{{ l[2:1] }}",
    ],
  ])("%s", (_, wanted, source) => {
    expect(show(source, { people })).toBe(wanted);
  });
});

describe("blocks", () => {
  it.each([
    ["set takes what its block writes", "<A>", "{% set a %}a{% endset %}<{{ a|upper }}>"],
    ["set unpacks", "1-2", "{% set a, b = 1, 2 %}{{ a }}-{{ b }}"],
    ["filters form a chain", "AB", "{% filter trim|upper %} ab {% endfilter %}"],
    [
      "namespaces keep what a loop sets",
      "2",
      "{% set n = namespace({'a': 0}, b=1) %}{% for x in [1, 2] %}{% set n.a = n.a + n.b %}{% endfor %}{{ n.a }}",
    ],
    ["one if runs one branch", "b", "{% if 0 %}a{% elif 1 %}b{% elif 1 %}c{% else %}d{% endif %}"],
    ["generation tags print nothing", "a[b]c", "a{% generation %}[b]{% endgeneration %}c"],
    ["raw blocks print their tags", "{{ x }}", "{% raw %}{{ x }}{% endraw %}"],
  ])("%s", (_, wanted, source) => {
    expect(show(source)).toBe(wanted);
  });
});

describe("errors stand where they arise", () => {
  it.each([
    ["{{ 1 }}\n  {{ f(1) }}", '"f" is undefined, not a function', 2, 6],
    ["{% if true %}\n{{ raise_exception('no') }}{% endif %}", "no", 2, 4],
    ["{{ 'a'|nothing }}", 'there is no filter "nothing"', 1, 4],
    ["{{ 1 is nothing }}", 'there is no test "nothing"', 1, 4],
    ["{% macro m(a) %}{% endmacro %}\n{{ m(1, 2) }}", 'macro "m" takes at most 1 arguments', 2, 4],
    ["{% macro m(a) %}{% endmacro %}\n{{ m(b=2) }}", 'macro "m" has no parameter "b"', 2, 4],
    ["{% macro m(a) %}\n{{ a / 0 }}{% endmacro %}{{ m(1) }}", "division by zero", 2, 4],
    ["{% set a = {} %}{% set a.b = 1 %}", '"a" is mapping', 1, 17],
    ["{% for a, b in [[1]] %}{% endfor %}", "does not unpack into 2", 1, 1],
    ["{% for a in 1 %}{% endfor %}", "integer cannot be looped over", 1, 1],
  ])("%s", (source, problem, line, column) => {
    const error = failure(source);
    expect(error.message).toContain(problem);
    expect(error).toMatchObject({ line, column });
  });

  it("and keep what was thrown as their cause", () => {
    expect(failure("{{ 1 + none }}{{ [] + 1 }}").cause).toBeInstanceOf(Error);
  });
});

describe("limits", () => {
  const run = (source: string) => renderTemplate(parseTemplate(source), {}, limits);
  it.each([
    [
      "work",
      "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
      "it does too much work",
    ],
    [
      "depth",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "it nests deeper than 400 evaluations",
    ],
    [
      "depth of what is long, too",
      `{{ 1${" + 1".repeat(1000)} }}`,
      "it nests deeper than 400 evaluations",
    ],
    [
      "one text",
      "{% set a = 'x' * 4000000 %}{{ a ~ a }}",
      "it builds a text of 8000000 characters",
    ],
    ["lists", "{{ range(10000000)|length }}", "it does too much work"],
    [
      "data",
      "{% set n = namespace(x=[]) %}{% for a in range(200) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}",
      "it nests data deeper than 100",
    ],
  ])("of %s", (_, source, problem) => {
    expect(() => run(source)).toThrow(problem);
    expect(() => run(source)).toThrow(/\(line 1, column \d+\)$/);
  });
});
