/** The grammar of templates: how expressions group, which blocks there are, what is refused. */
import { describe, expect, it } from "vitest";
import { TemplateError } from "../../src/jinja/errors.ts";
import type { Argument, Expression } from "../../src/jinja/nodes.ts";
import { parseTemplate } from "../../src/jinja/parser.ts";
import type { Value } from "../../src/jinja/values.ts";

/** An expression with its groups in parentheses. */
function grouped(node: Expression): string {
  const args = (all: readonly Argument[]): string =>
    all
      .map(({ kind, name, value }) =>
        [kind === "value" ? "" : kind, name ? `${name}=` : "", grouped(value)].join(""),
      )
      .join(", ");
  const end = (one: Expression | undefined): string => (one === undefined ? "" : grouped(one));
  switch (node.kind) {
    case "literal":
      return literal(node.value);
    case "name":
      return node.name;
    case "list":
      return `[${node.items.map(grouped).join(", ")}]`;
    case "tuple":
      return `tuple(${node.items.map(grouped).join(", ")})`;
    case "mapping":
      return `{${node.entries.map(([k, v]) => `${grouped(k)}: ${grouped(v)}`).join(", ")}}`;
    case "unary":
      return `(${node.operator} ${grouped(node.operand)})`;
    case "binary":
      return `(${grouped(node.left)} ${node.operator} ${grouped(node.right)})`;
    case "ternary":
      return `(${grouped(node.value)} if ${grouped(node.test)} else ${end(node.otherwise) || "-"})`;
    case "member":
      return `${grouped(node.object)}.${node.name}`;
    case "subscript":
      return `${grouped(node.object)}[${grouped(node.key)}]`;
    case "slice":
      return `${grouped(node.object)}[${end(node.start)}:${end(node.stop)}:${end(node.step)}]`;
    case "call":
      return `${grouped(node.callee)}(${args(node.args)})`;
    case "filter":
      return `(${grouped(node.operand)} | ${node.filter.name}(${args(node.filter.args)}))`;
    case "test": {
      const is = node.negated ? "is not" : "is";
      return `(${grouped(node.operand)} ${is} ${node.test.name}(${args(node.test.args)}))`;
    }
  }
}
const literal = ({ value }: Value): string => JSON.stringify(value);

function parsed(expression: string): string {
  const [print] = parseTemplate(`{{ ${expression} }}`).body;
  if (print.kind !== "print") throw new Error(`it is ${print.kind}`);
  return grouped(print.value);
}

describe("expressions", () => {
  it.each([
    // Operators, from the loosest to the tightest, each with its neighbour.
    ["a if b or c else d", "(a if (b or c) else d)"],
    ["a if b else c if d else e", "(a if b else (c if d else e))"],
    ["a if b", "(a if b else -)"],
    ["a or b and c or d", "((a or (b and c)) or d)"],
    ["not a and not b", "((not a) and (not b))"],
    ["not a in b", "(not (a in b))"],
    ["not not a == b", "(not (not (a == b)))"],
    ["a not in b + c", "(a not in (b + c))"],
    ["a < b == c", "((a < b) == c)"],
    ["a + b * c - d ~ e", "(((a + (b * c)) - d) ~ e)"],
    ["a * b ** c // d % e", "(((a * (b ** c)) // d) % e)"],
    ["2 ** 3 ** 2", "((2 ** 3) ** 2)"],
    ["-2 ** 2", "((- 2) ** 2)"],
    ["- - a.b", "(- (- a.b))"],
    ["a -1", "(a - 1)"],
    ["-a|abs", "((- a) | abs())"],
    ["a|b|c(1, d=2) + e", "(((a | b()) | c(1, d=2)) + e)"],
    ["a ~ b|c", "(a ~ (b | c()))"],
    ["a is b and c is not d", "((a is b()) and (c is not d()))"],
    ["not a is b", "(not (a is b()))"],
    ["a is b(1) or c", "((a is b(1)) or c)"],
    ["a is divisibleby 3 and b", "((a is divisibleby(3)) and b)"],
    ["a is in [1] or b", "((a is in([1])) or b)"],
    ["a is none == b is true", "((a is none()) == (b is true()))"],
    ["a|b is c|d", "(((a | b()) is c()) | d())"],
    // Members, subscripts, slices and calls.
    ["a.b['c'].d(e)(f)[0].1", 'a.b["c"].d(e)(f)[0][1]'],
    ["a[:]", "a[::]"],
    ["a[1:]", "a[1::]"],
    ["a[:-1]", "a[:(- 1):]"],
    ["a[::2]", "a[::2]"],
    ["a[b:c:d]", "a[b:c:d]"],
    ["f(a, *b, c=d, **e)", "f(a, *b, c=d, **e)"],
    ["f(a == b, c=d == e,)", "f((a == b), c=(d == e))"],
    // Literals.
    ["[1, 'a' \"b\", 2.5, true, None,]", '[1, "ab", 2.5, true, null]'],
    ["{'a': {1: b}, c: d,}", '{"a": {1: b}, c: d}'],
    ["(a), (), (a,), (a, b)", "tuple(a, tuple(), tuple(a), tuple(a, b))"],
    ["loop.if.not", "loop.if.not"],
  ])("%s", (expression, wanted) => {
    expect(parsed(expression)).toBe(wanted);
  });
});

describe("blocks", () => {
  const kinds = (source: string): unknown =>
    JSON.parse(
      JSON.stringify(parseTemplate(source).body, (key, value) =>
        ["at", "value", "test", "iterable", "call"].includes(key) ? undefined : value,
      ),
    );
  it("if, elif and else are branches of one statement", () => {
    const text = (text: string) => [{ kind: "text", text }];
    expect(kinds("{% if a %}1{% elif b %}2{% elif c %}3{% else %}4{% endif %}")).toEqual([
      {
        kind: "if",
        branches: [{ body: text("1") }, { body: text("2") }, { body: text("3") }],
        otherwise: text("4"),
      },
    ]);
  });
  it("for has targets, a filter and an else", () => {
    expect(kinds("{% for a, (b, c) in d if a %}{% break %}{% else %}{% endfor %}")).toMatchObject([
      {
        kind: "for",
        target: {
          kind: "targets",
          targets: [
            { kind: "name", name: "a" },
            { kind: "targets", targets: [{ name: "b" }, { name: "c" }] },
          ],
        },
        filter: { kind: "name", name: "a" },
        body: [{ kind: "break" }],
        otherwise: [],
      },
    ]);
  });
  it("an else in the head of a loop makes a choice of its list", () => {
    const [loop] = parseTemplate("{% for a in b if c else d %}{% endfor %}").body;
    expect(loop).toMatchObject({ kind: "for", iterable: { kind: "ternary" } });
    expect(loop).toHaveProperty("filter", undefined);
  });
  it("macros and call blocks have parameters, and know whether they take more", () => {
    expect(
      kinds("{% macro m(a, b=1) %}{{ kwargs }}{% endmacro %}{% call(c) m() %}{% endcall %}"),
    ).toMatchObject([
      {
        kind: "macro",
        name: "m",
        signature: { parameters: [{ name: "a" }, { name: "b" }], varargs: false, kwargs: true },
      },
      {
        kind: "call block",
        signature: { parameters: [{ name: "c" }], varargs: false, kwargs: false },
      },
    ]);
  });
  it("set takes a value, several, or a block; filter takes a chain", () => {
    expect(
      kinds(
        "{% set a = 1 %}{% set n.a, b = c, d %}{% set e %}x{% endset %}{% filter f|g(1) %}{% endfilter %}",
      ),
    ).toMatchObject([
      { kind: "set", target: { kind: "name", name: "a" } },
      { kind: "set", target: { targets: [{ kind: "entry", namespace: "n" }, { name: "b" }] } },
      { kind: "set block", body: [{ kind: "text", text: "x" }] },
      { kind: "filter block", filters: [{ name: "f" }, { name: "g" }] },
    ]);
  });
  it("generation tags leave their content", () => {
    expect(kinds("{% generation %}a{%- endgeneration -%} b")).toEqual([
      { kind: "text", text: "a" },
      { kind: "text", text: "b" },
    ]);
  });
  it("line breaks of Windows are line breaks", () => {
    expect(kinds("a\r\n{% generation %}\r\nb\r")).toEqual([
      { kind: "text", text: "a\n" },
      { kind: "text", text: "b" },
    ]);
  });
});

function failure(source: string): TemplateError {
  try {
    parseTemplate(source);
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
  throw new Error("it was parsed");
}

describe("what is refused, with its place", () => {
  it.each([
    ["{% if %}", '"%}" stands where an expression is expected', 1, 7],
    ["\n{% if a %}\n b", "the end stands where {% endif %} is expected", 3, 3],
    ["{% if a %}{% endfor %}", 'there is no tag "endfor"', 1, 11],
    ["{% import 'a' %}", 'there is no tag "import"', 1, 1],
    ["a\n  {{ b c }}", '"c" stands where }} is expected', 2, 8],
    ["{{ [1 2] }}", '"2" stands where , is expected', 1, 7],
    ["{{ f(a=1, 2) }}", "without a name follows", 1, 11],
    ["{{ a and }}", "an expression is expected", 1, 10],
    ["{{ else }}", '"else" stands where an expression', 1, 4],
    ["{{ a|1 }}", '"1" stands where name is expected', 1, 6],
    ["{% set a.b.c = 1 %}", '"." stands where %} is expected', 1, 11],
    ["{% set 'a' = 1 %}", "name is expected", 1, 8],
    ["{% for a b %}{% endfor %}", '"b" stands where in is expected', 1, 10],
    ["{% break %}", '"break" stands outside of a loop', 1, 1],
    [
      "{% for a in b %}{% macro m() %}{% continue %}{% endmacro %}{% endfor %}",
      "outside of a loop",
      1,
      32,
    ],
    ["{% macro m(a, a) %}{% endmacro %}", 'two parameters "a"', 1, 15],
    ["{% macro m(a=1, b) %}{% endmacro %}", 'parameter "b" needs a default', 1, 17],
    ["{% call m %}{% endcall %}", "needs the call of a macro", 1, 1],
  ])("%s", (source, problem, line, column) => {
    const error = failure(source);
    expect(error.message).toContain(problem);
    expect(error).toMatchObject({ line, column });
  });

  it("but not what stands side by side", () => {
    const source = "{% if (a) %}{{ [(1), -1, not f(2)] }}{% endif %}".repeat(500);
    expect(parseTemplate(source).body.length).toBe(500);
  });

  it("a template that is too long", () => {
    expect(() => parseTemplate("x".repeat(300_000))).toThrow("300000 characters");
  });

  it.each([
    ["parentheses", "{{ ", "(", "1", ")", " }}"],
    ["lists", "{{ ", "[", "1", "]", " }}"],
    ["mappings", "{{ ", "{1: ", "1", "}", " }}"],
    ["subscripts", "{{ ", "a[", "1", "]", " }}"],
    ["arguments", "{{ ", "f(", "1", ")", " }}"],
    ["not", "{{ ", "not ", "1", "", " }}"],
    ["signs", "{{ ", "- ", "1", "", " }}"],
    ["choices", "{{ ", "1 if 0 else ", "1", "", " }}"],
    ["tests", "{{ ", "a is b [", "1", "]", " }}"],
    ["blocks", "", "{% if 1 %}", "x", "{% endif %}", ""],
    ["macros", "", "{% macro m() %}", "x", "{% endmacro %}", ""],
    ["targets", "{% for ", "(", "a", ",)", " in b %}{% endfor %}"],
  ])("%s that nest too deeply, but not a few", (_, before, open, core, close, after) => {
    const source = (n: number) => before + open.repeat(n) + core + close.repeat(n) + after;
    expect(() => parseTemplate(source(20))).not.toThrow();
    expect(failure(source(150)).message).toContain("it nests deeper than 128 levels");
    expect(failure(source(5000)).message).toContain("it nests deeper than 128 levels");
  });
});
