/** Hostile chat templates: each must end soon, in a typed error, without taking memory along. */
import { describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import { ChatTemplate } from "../../src/chat/template.ts";

/** Small, seeded random numbers: the same cases everywhere. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

type Make = (pick: (min: number, max: number) => number) => string;

const nested = (n: number, open: string, core: string, close: string): string =>
  open.repeat(n) + core + close.repeat(n);
const doubled = (n: number, start: string, step: string): string =>
  `{% set n = namespace(x=${start}) %}{% for i in range(${n}) %}{% set n.x = ${step} %}{% endfor %}`;

/** What is cheap once, and done too often. */
const repeated = (before: string, steps: Readonly<Record<string, string>>): Record<string, Make> =>
  Object.fromEntries(
    Object.entries(steps).map(([name, step]) => [
      name,
      (pick) => `${before}{% for i in range(${pick(4e5, 5e5)}) %}${step}{% endfor %}`,
    ]),
  );

/** Every kind must fail; sizes are drawn anew for each case. */
const KINDS: Readonly<Record<string, Make>> = {
  "long ranges": (pick) => `{% for i in range(${pick(2e6, 2e9)}) %}x{% endfor %}`,
  "nested loops": (pick) => {
    const n = pick(5000, 20_000);
    return nested(4, `{% for a in range(${n}) %}`, "", "{% endfor %}");
  },
  "loops with work": (pick) =>
    nested(
      4,
      `{% for a in range(${pick(3000, 9000)}) %}`,
      "{{ 'abc'|upper|trim }}",
      "{% endfor %}",
    ),
  "a macro calling itself": (pick) =>
    `{% macro m(n) %}${" ".repeat(pick(0, 9))}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}`,
  "macros calling each other": () =>
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{{ a() }}{% endmacro %}{{ a() }}",
  "a caller calling back": () =>
    "{% macro m() %}{{ caller() }}{% endmacro %}{% macro r() %}{% call m() %}{{ r() }}{% endcall %}{% endmacro %}{{ r() }}",
  "doubled text": (pick) => doubled(pick(40, 400), "'ab'", "n.x + n.x"),
  "doubled text in ~": (pick) => doubled(pick(40, 400), "'ab'", "n.x ~ n.x"),
  "doubled lists": (pick) => doubled(pick(40, 200), "[1]", "n.x + n.x"),
  "multiplied text": (pick) => `{{ 'ab' * ${pick(2e7, 2e9)} }}`,
  "multiplied text twice": (pick) => `{{ ('ab' * ${pick(5e3, 9e6)}) * ${pick(20_000, 90_000)} }}`,
  "multiplied lists": (pick) => `{{ [1, 2] * ${pick(2e6, 2e9)} }}`,
  "huge numbers as counts": (pick) => `{{ 'a' * 10 ** ${pick(9, 400)} }}`,
  "replace that grows": (pick) =>
    doubled(pick(20, 99), "'aaaaaaaa'", "n.x.replace('a', 'aaaaaaaaaaaaaaaa')"),
  "replace of nothing": (pick) =>
    `{% set a = 'ab' * ${pick(100_000, 900_000)} %}{{ a|replace('', a) }}`,
  "join that grows": (pick) => doubled(pick(30, 99), "'ab'", "[n.x, n.x, n.x]|join(n.x)"),
  "wide indentation": (pick) =>
    `{% set a = '\\n' * ${pick(400_000, 900_000)} %}{{ a|indent(${pick(60, 9e8)}, true, true) }}{{ a|indent(64, true, true)|indent(64, true, true) }}`,
  "JSON indentation": (pick) => `{{ [[1]]|tojson(indent=${pick(1e6, 2e9)}) }}`,
  "format that grows": (pick) => doubled(pick(40, 99), "'ab'", "'{}{}{}'.format(n.x, n.x, n.x)"),
  "shared lists as text": (pick) => `${doubled(pick(40, 99), "['laugh']", "[n.x, n.x]")}{{ n.x }}`,
  "shared lists as JSON": (pick) =>
    `${doubled(pick(40, 99), "['laugh']", "{'a': n.x, 'b': n.x}")}{{ n.x|tojson }}`,
  "shared lists compared": () =>
    "{% set n = namespace(x=[1], y=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}",
  "a list in itself": () => "{% set a = [] %}{% set _ = a.append(a) %}{{ a|tojson }}{{ a }}",
  "a namespace in itself": () => "{% set n = namespace() %}{% set n.n = n %}{{ n|tojson }}",
  "deep data": (pick) => `${doubled(pick(2000, 9000), "[]", "[n.x]")}{{ n.x }}`,
  "slow search": (pick) => {
    const n = pick(2e6, 4e6);
    return `{% set a = 'a' * ${n} %}{{ ('b' + 'a' * ${n / 2}) in a }}`;
  },
  "many entries from text": (pick) =>
    `{% set a = 'x' * ${pick(3e6, 9e6)} %}{{ a|list|length }}{{ a.split('x')|length }}`,
  ...repeated("{% set a = 'a' * 99999 %}", {
    "slow searches": "{{ ('b' + 'a' * 2000) in a }}",
    "stripping by many characters": "{{ a.strip(a) }}",
    "long paths of attributes": "{{ [1]|map(attribute='.' * 99999)|list }}",
    "many words": "{{ (a + ' a' * 9999)|title }}",
    "many replacements": "{{ a.replace('a', 'b') }}",
    "texts as lists": "{{ a|list|length }}",
    "texts as lists, backwards": "{{ a|reverse }}",
    "counting parts": "{{ a.count('a') }}",
  }),
  ...repeated("{% set a = ' ' * 999999 %}", {
    "long white space": "{{ a|trim }}",
    "long words": "{{ a.split() }}",
  }),
  ...repeated("{% set a = '\\n' * 99999 %}", {
    "many lines": "{{ a.splitlines()|length }}",
    "many lines indented": "{{ a|indent(4, true, true)|length }}",
    "many escapes": "{{ [a]|tojson|length }}{{ [a]|string|length }}",
  }),
  ...repeated("{% set a = '<\u00e9' * 99999 %}", {
    "many escapes in HTML": "{{ a|e|length }}",
    "many escapes beyond ASCII": "{{ a|tojson(ensure_ascii=true)|length }}",
    "characters by number": "{{ (a + '\u{1f600}')[3] }}",
  }),
  ...repeated("{% set a = range(99999)|list %}", {
    "entries looked for": "{{ -1 in a }}",
    "entries counted": "{{ a.count(-1) }}",
    "entries put in front": "{% set _ = a.insert(0, 1) %}",
    "entries taken from the front": "{% set _ = a.pop(0) %}",
    "entries added up": "{{ a|sum }}",
    "the largest of many": "{{ a|max }}",
    "entries in order": "{{ a|sort|length }}",
    "entries chosen": "{{ a|select('odd')|list|length }}",
    "entries filtered": "{% for b in a if false %}{% endfor %}",
    "entries of which one is taken": "{% for b in a %}{% break %}{% endfor %}",
    "entries backwards": "{{ a[::-1]|length }}",
    "entries as pairs": "{{ a|unique|length }}",
    "nothing, joined": "{{ (a|map('string')|list)|join|length }}",
  }),
  ...repeated(`{% macro m(${Array.from({ length: 5000 }, (_, i) => `a${i}=1`)}) %}{% endmacro %}`, {
    "parameters left out": "{{ m() }}",
  }),
  "deep parentheses": (pick) => `{{ ${nested(pick(200, 60_000), "(", "1", ")")} }}`,
  "deep lists": (pick) => `{{ ${nested(pick(200, 60_000), "[", "1", "]")} }}`,
  "deep mappings": (pick) => `{{ ${nested(pick(200, 20_000), "{'a':", "1", "}")} }}`,
  "deep subscripts": (pick) => `{{ ${nested(pick(200, 30_000), "a[", "0", "]")} }}`,
  "deep blocks": (pick) => nested(pick(200, 9000), "{% if true %}", "x", "{% endif %}"),
  "deep loops": (pick) => nested(pick(200, 4000), "{% for a in [1] %}", "x", "{% endfor %}"),
  "deep targets": (pick) =>
    `{% for ${nested(pick(200, 60_000), "(", "a", ",)")} in a %}{% endfor %}`,
  "deep arguments": (pick) => `{{ ${nested(pick(200, 60_000), "a(", "1", ")")} }}`,
  "long not": (pick) => `{{ ${"not ".repeat(pick(300, 40_000))}1 }}`,
  "long signs": (pick) => `{{ ${"- ".repeat(pick(300, 60_000))}1 }}`,
  "long ternaries": (pick) => `{{ ${"1 if 0 else ".repeat(pick(300, 9000))}1 }}`,
  "long calls": (pick) => `{{ a${"()".repeat(pick(300, 60_000))} }}`,
  "long members": (pick) => `{{ a${".b".repeat(pick(2000, 60_000))} }}`,
  "long filters": (pick) => `{{ ''${"|trim".repeat(pick(2000, 40_000))} }}`,
  "long sums": (pick) => `{{ 1${" * 1".repeat(pick(2000, 60_000))} }}`,
  "a huge source": (pick) => "x".repeat(pick(300_000, 2_000_000)),
  "unfinished text": (pick) => nested(pick(1, 90), "{% if a %}{{ [", "", ""),
  "functions of JavaScript": () => "{{ ''.constructor.constructor('return process')().exit() }}",
  "prototypes reached": () => "{{ {}.__proto__.polluted() }}",
  "prototypes as names": () => "{{ constructor() }}{{ __proto__() }}{{ toString() }}",
  "prototypes called": () => "{{ [].__class__.__mro__[1].__subclasses__() }}",
  "prototypes set": () => "{% set a = {} %}{% set a.__proto__ = {'polluted': 1} %}",
  "tests and filters of prototypes": () => "{{ 1 is constructor }}{{ 1|constructor }}",
};

/** Long, but not deep: each is rendered, in time that grows no faster than its length. */
const LONG: Readonly<Record<string, string>> = {
  branches: `{% if 0 %}${"{% elif 0 %}".repeat(20_000)}{% endif %}`,
  "white space before a tag": `${" ".repeat(250_000)}{% generation %}`,
  "white space in a tag": `{% if 0 ${" ".repeat(250_000)}%}{% endif %}`,
  "tags with white space between them": "{% generation %} ".repeat(15_000),
  "a list": `{% set a = [${"1,".repeat(100_000)}] %}`,
  "a string": `{% set a = '${"\\n".repeat(100_000)}' %}`,
  "a comment": `{# ${"{% raw %}".repeat(20_000)} #}`,
  braces: `${"{ ".repeat(100_000)}`,
};

/** Sets prototype names wherever a template can, legally. */
const POLLUTERS: readonly string[] = [
  "{% set __proto__ = {'polluted': 1} %}{{ __proto__ }}",
  "{% set n = namespace(__proto__=1, constructor=2) %}{% set n.__proto__ = {'polluted': 1} %}",
  "{% set d = {'__proto__': {'polluted': 1}, 'constructor': 2} %}{{ d }}{{ d.__proto__ }}",
  "{% set d = {} %}{% set _ = d.update({'__proto__': {'polluted': 1}}) %}{{ d|tojson }}",
  "{% set d = dict(__proto__=1) %}{{ d.items() }}{{ d.polluted }}",
];

const facts = { bosToken: "", eosToken: "" };
const cases = Array.from({ length: 4 }, (_, round) =>
  Object.entries(KINDS).map(([kind, make], i) => {
    const next = random(1 + round * 1000 + i);
    const pick = (min: number, max: number): number => Math.floor(min + next() * (max - min));
    return { name: `${kind}, ${round + 1}`, source: make(pick) };
  }),
).flat();

/** Less than a rendering may do by default, for the sake of the tests' time. */
const units = 2 ** 24;

function outcome(source: string): unknown {
  try {
    return new ChatTemplate(source, facts).renderVariables({ messages: [] }, { units });
  } catch (error) {
    return error;
  }
}

describe("hostile templates", () => {
  it("are 200 or more", () => {
    expect(cases.length).toBeGreaterThanOrEqual(200);
  });
  it.each(cases)("$name", ({ source }) => {
    const start = performance.now();
    const error = outcome(source);
    expect(error).toBeInstanceOf(WebggufError);
    expect((error as WebggufError).code).toBe("template/failed");
    expect((error as WebggufError).message.length).toBeLessThan(700);
    // An eighth of what a rendering may do takes some 40 ms; the rest is for busy machines.
    expect(performance.now() - start).toBeLessThan(10_000);
  });
  it.each(Object.entries(LONG))("are not those with long %s", (_, source) => {
    const start = performance.now();
    const template = new ChatTemplate(source, facts);
    expect(template.renderVariables({}).trim()).not.toContain("%");
    expect(performance.now() - start).toBeLessThan(30_000);
  });
  it("leave Object.prototype and its kin as they were", () => {
    const names = (): string[] =>
      [Object.prototype, Array.prototype, String.prototype, Map.prototype, Function.prototype].map(
        (prototype) => Reflect.ownKeys(prototype).map(String).join(),
      );
    const before = names();
    for (const source of [
      ...POLLUTERS,
      ...cases.filter((one) => one.name.includes("prototype")).map((one) => one.source),
    ])
      outcome(source);
    expect(names()).toEqual(before);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
  it("cannot reach the caller's data", () => {
    const messages = [{ role: "user", content: "hi", list: [1] }];
    const source =
      "{% set _ = messages.append(1) %}{% set _ = messages[0].update({'role': 'x'}) %}{{ messages[0].role }}";
    expect(new ChatTemplate(source, facts).renderVariables({ messages })).toBe("x");
    expect(messages).toEqual([{ role: "user", content: "hi", list: [1] }]);
  });
});
