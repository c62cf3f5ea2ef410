/** Faults that the tests of jinja must notice. */
import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    file: "src/jinja/same.ts",
    fault: "a test of the entry counts as one that is the same for all",
    from: "return !names.has(node.name);",
    to: "return true;",
  },
  {
    file: "src/jinja/interpreter.ts",
    fault: "a branch of the entries ends the loop though tests before it look at them",
    from: "tests: at + 1 };",
    to: "tests: 1 };",
  },
  {
    file: "src/jinja/interpreter.ts",
    fault: "a loop that has nothing to do any more goes on",
    from: "if (chosen?.body.length === 0 && sameForAll(choice!, chosen.tests, node.target)) break;",
    to: "",
  },
  {
    file: "src/jinja/lists.ts",
    fault: "reverse sort not stable",
    from: "return reverse ? compare(b, a, call.budget) : compare(a, b, call.budget);",
    to: "const c = compare(a, b, call.budget); return reverse ? -c || -1 : c;",
  },
  {
    file: "src/jinja/lists.ts",
    fault: "the last of equal entries is the largest",
    from: "sign * compare(key(item), key(best), call.budget) < 0",
    to: "sign * compare(key(item), key(best), call.budget) <= 0",
  },
  {
    file: "src/jinja/lexer.ts",
    fault: "line break behind an expression is taken",
    from: 'before !== "+" && bracket !== "}"',
    to: 'before !== "+"',
  },
  {
    file: "src/jinja/lexer.ts",
    fault: "spaces between tags of one line are taken",
    from: "(line > 0 || start === 0) && ",
    to: "",
  },
  {
    file: "src/jinja/lexer.ts",
    fault: "an escaped quote ends the string",
    from: "      at += 1 + digits;\n      from = at + 1;",
    to: "      at += digits;\n      from = at + 2;",
  },
  {
    file: "src/jinja/lexer.ts",
    fault: "braces of a mapping end the tag",
    from: '(close === "%}" || braces === 0)',
    to: '(close === "%}" || braces <= 1)',
  },
  {
    file: "src/jinja/expressions.ts",
    fault: "operators group to the right",
    from: "right: this.#binary(level + 1) };",
    to: "right: this.#binary(level) };",
  },
  {
    file: "src/jinja/expressions.ts",
    fault: "not binds tighter than comparisons",
    from: "this.#cursor.nested(() => this.#binary(COMPARISONS))",
    to: "this.#cursor.nested(() => this.#filtered())",
  },
  {
    file: "src/jinja/cursor.ts",
    fault: "nesting counts what has ended",
    from: "    this.#depth--;\n",
    to: "",
  },
  {
    file: "src/jinja/parser.ts",
    fault: "a macro in a loop may leave it",
    from: "    this.#loops = 0;\n",
    to: "",
  },
  {
    file: "src/jinja/interpreter.ts",
    fault: "a break leaves the outer loops as well",
    from: 'if (this.#block(chosen?.body ?? body, scope, out) === "break") break;',
    to: 'if (this.#block(chosen?.body ?? body, scope, out) === "break") return "break";',
  },
  {
    file: "src/jinja/interpreter.ts",
    fault: "the filter of a loop sets the loop's variable",
    from: "const trial = new Scope(scope);",
    to: "const trial = outer;",
  },
  {
    file: "src/jinja/interpreter.ts",
    fault: "errors stand at the statement around them",
    from: "error instanceof TemplateError || error instanceof WebggufError",
    to: "error instanceof WebggufError",
  },
  {
    file: "src/jinja/budget.ts",
    fault: "work has no limit",
    from: "if (!(this.#units >= 0))",
    to: "if (!(this.#units >= -1e12))",
  },
  {
    file: "src/jinja/budget.ts",
    fault: "long conversations get no more work than short ones",
    from: "(paired ** 2 - this.#paired ** 2)",
    to: "(paired - this.#paired)",
  },
  {
    file: "src/jinja/strings.ts",
    fault: "parts of a text cost nothing",
    from: "    budget.entries(2);\n",
    to: "",
  },
];
