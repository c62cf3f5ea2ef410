/**
 * The grammar of expressions, from the loosest to the tightest: `a if b else c`, `or`, `and`, `not`,
 * comparisons and `in`, `+ - ~`, `* / // %`, `**`, tests and filters, signs, members and calls.
 * Binary operators group to the left.
 */
import type { Cursor } from "./cursor.ts";
import type { Argument, Call, Expression, FilterCall, Literal } from "./nodes.ts";
import { bool, float, int, NONE, str, UNDEFINED, type Value } from "./values.ts";

/** Binary operators by level, the loosest first. */
const LEVELS: readonly (readonly string[])[] = [
  ["or"],
  ["and"],
  ["==", "!=", "<", "<=", ">", ">=", "in", "not in"],
  ["+", "-", "~"],
  ["*", "/", "//", "%"],
  ["**"],
];
/** `not` stands between `and` and the comparisons. */
const COMPARISONS = 2;

const CONSTANTS: ReadonlyMap<string, Value> = new Map([
  ["true", bool(true)],
  ["True", bool(true)],
  ["false", bool(false)],
  ["False", bool(false)],
  ["none", NONE],
  ["None", NONE],
]);

/** Words that are no names of variables. */
const RESERVED: ReadonlySet<string> = new Set(["and", "or", "not", "in", "is", "if", "else"]);

/** What may follow a test without parentheses as its argument. */
const ARGUMENT_STARTS = ["[", "{"];

/** Told of each variable that is read. */
export type OnRead = (name: string) => void;

export class ExpressionParser {
  readonly #cursor: Cursor;
  readonly #onRead: OnRead;

  constructor(cursor: Cursor, onRead: OnRead) {
    this.#cursor = cursor;
    this.#onRead = onRead;
  }

  /** One expression. */
  expression(): Expression {
    return this.#cursor.nested(() => {
      const value = this.withoutCondition();
      return this.#cursor.at("name", "if") ? this.#ternary(value) : value;
    });
  }

  /** One expression, or several with commas between them: a tuple. */
  tuple(): Expression {
    const { at } = this.#cursor.next;
    const first = this.expression();
    if (!this.#cursor.at("operator", ",")) return first;
    const items = [first];
    while (this.#cursor.accept("operator", ",") && this.#startsExpression())
      items.push(this.expression());
    return { kind: "tuple", at, items };
  }

  /** An expression up to an `if`, which in a loop's head begins the filter. */
  withoutCondition(): Expression {
    return this.#binary(0);
  }

  /** `value if test else otherwise`, from its `if` on. */
  #ternary(value: Expression): Expression {
    const cursor = this.#cursor;
    cursor.expect("name", "if");
    const test = this.withoutCondition();
    const otherwise = cursor.accept("name", "else") ? this.expression() : undefined;
    return { kind: "ternary", at: value.at, test, value, otherwise };
  }

  /** Operators of a level, and of the tighter ones. */
  #binary(level: number): Expression {
    if (level === COMPARISONS && this.#cursor.at("name", "not")) return this.#not();
    if (level === LEVELS.length) return this.#filtered();
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = this.#operator(LEVELS[level]);
      if (operator === undefined) return left;
      left = { kind: "binary", at: left.at, operator, left, right: this.#binary(level + 1) };
    }
  }

  #not(): Expression {
    const { at } = this.#cursor.expect("name", "not");
    const operand = this.#cursor.nested(() => this.#binary(COMPARISONS));
    return { kind: "unary", at, operator: "not", operand };
  }

  /** Takes the next token if it is one of the operators. */
  #operator(operators: readonly string[]): string | undefined {
    const cursor = this.#cursor;
    if (cursor.at("name", "not") && cursor.second.value === "in" && operators.includes("not in")) {
      cursor.take();
      cursor.take();
      return "not in";
    }
    const { kind, value } = cursor.next;
    if ((kind !== "operator" && kind !== "name") || !operators.includes(value)) return undefined;
    return cursor.take().value;
  }

  /** An operand with its filters and tests. */
  #filtered(): Expression {
    let operand = this.#signed();
    for (;;) {
      const { at } = operand;
      if (this.#cursor.accept("operator", "|"))
        operand = { kind: "filter", at, operand, filter: this.filter() };
      else if (this.#cursor.accept("name", "is")) {
        const negated = this.#cursor.accept("name", "not");
        operand = { kind: "test", at, operand, negated, test: this.#test() };
      } else return operand;
    }
  }

  /** A filter's name and arguments. */
  filter(): FilterCall {
    const { at, value: name } = this.#cursor.expect("name");
    return { at, name, args: this.#cursor.at("operator", "(") ? this.#arguments() : [] };
  }

  /** A test's name and arguments; a single one needs no parentheses. */
  #test(): FilterCall {
    const test = this.filter();
    const { kind, value } = this.#cursor.next;
    const isArgument =
      kind === "string" ||
      kind === "integer" ||
      kind === "float" ||
      (kind === "name" && !RESERVED.has(value)) ||
      (kind === "operator" && ARGUMENT_STARTS.includes(value));
    if (test.args.length > 0 || !isArgument) return test;
    return {
      ...test,
      args: [{ kind: "value", value: this.#cursor.nested(() => this.#postfix()) }],
    };
  }

  #signed(): Expression {
    const { at } = this.#cursor.next;
    for (const operator of ["-", "+"] as const)
      if (this.#cursor.accept("operator", operator)) {
        const operand = this.#cursor.nested(() => this.#signed());
        return { kind: "unary", at, operator, operand };
      }
    return this.#postfix();
  }

  /** An operand with its members, subscripts and calls. */
  #postfix(): Expression {
    const cursor = this.#cursor;
    let object = this.#primary();
    for (;;) {
      const { at } = cursor.next;
      if (cursor.accept("operator", ".")) {
        if (cursor.at("integer")) object = { kind: "subscript", at, object, key: this.#number() };
        else object = { kind: "member", at, object, name: cursor.expect("name").value };
      } else if (cursor.accept("operator", "[")) object = this.#subscript(object, at);
      else if (cursor.at("operator", "(")) object = this.#call(object);
      else return object;
    }
  }

  #call(callee: Expression): Call {
    return { kind: "call", at: callee.at, callee, args: this.#arguments() };
  }

  /** `[key]` or `[start:stop:step]`, behind its bracket. */
  #subscript(object: Expression, at: number): Expression {
    const cursor = this.#cursor;
    const ends: (Expression | undefined)[] = [];
    do {
      const missing = cursor.at("operator", ":", "]");
      ends.push(missing ? undefined : this.expression());
    } while (ends.length < 3 && cursor.accept("operator", ":"));
    cursor.expect("operator", "]");
    const [start, stop, step] = ends;
    if (ends.length > 1) return { kind: "slice", at, object, start, stop, step };
    const key = start ?? { kind: "literal", at, value: UNDEFINED };
    return { kind: "subscript", at, object, key };
  }

  #arguments(): Argument[] {
    const cursor = this.#cursor;
    cursor.expect("operator", "(");
    const args: Argument[] = [];
    let named = false;
    while (!cursor.accept("operator", ")")) {
      if (args.length > 0) cursor.expect("operator", ",");
      if (cursor.accept("operator", ")")) break;
      const { at } = cursor.next;
      const argument = this.#argument();
      if (named && argument.kind === "value" && argument.name === undefined)
        throw cursor.error("an argument without a name follows one with a name", at);
      named ||= argument.kind === "**" || argument.name !== undefined;
      args.push(argument);
    }
    return args;
  }

  #argument(): Argument {
    const cursor = this.#cursor;
    for (const kind of ["*", "**"] as const)
      if (cursor.accept("operator", kind)) return { kind, value: this.expression() };
    if (cursor.at("name") && cursor.second.value === "=" && cursor.second.kind === "operator") {
      const name = cursor.take().value;
      cursor.take();
      return { kind: "value", name, value: this.expression() };
    }
    return { kind: "value", value: this.expression() };
  }

  #primary(): Expression {
    const cursor = this.#cursor;
    const { kind, value, at } = cursor.next;
    if (kind === "string") return this.#string();
    if (kind === "integer" || kind === "float") return this.#number();
    if (kind === "name" && !RESERVED.has(value)) return this.#name();
    if (cursor.accept("operator", "(")) {
      const inner = cursor.at("operator", ")") ? undefined : this.tuple();
      cursor.expect("operator", ")");
      return inner ?? { kind: "tuple", at, items: [] };
    }
    if (cursor.accept("operator", "["))
      return { kind: "list", at, items: this.#listed("]", () => this.expression()) };
    if (cursor.accept("operator", "{"))
      return { kind: "mapping", at, entries: this.#listed("}", () => this.#entry()) };
    throw cursor.unexpected("an expression");
  }

  /** Items with commas between them, up to a closing bracket. */
  #listed<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.#cursor.accept("operator", close)) {
      items.push(item());
      if (!this.#cursor.at("operator", close)) this.#cursor.expect("operator", ",");
    }
    return items;
  }

  #entry(): [Expression, Expression] {
    const key = this.expression();
    this.#cursor.expect("operator", ":");
    return [key, this.expression()];
  }

  #name(): Expression {
    const { value: name, at } = this.#cursor.take();
    const constant = CONSTANTS.get(name);
    if (constant !== undefined) return { kind: "literal", at, value: constant };
    this.#onRead(name);
    return { kind: "name", at, name };
  }

  #number(): Literal {
    const { kind, value, at } = this.#cursor.take();
    return { kind: "literal", at, value: (kind === "float" ? float : int)(Number(value)) };
  }

  /** Strings that follow each other are one, as in Python. */
  #string(): Literal {
    const { at } = this.#cursor.next;
    let text = "";
    while (this.#cursor.at("string")) text += this.#cursor.take().value;
    return { kind: "literal", at, value: str(text) };
  }

  /** False where an expression cannot follow: a tuple may end with a comma. */
  #startsExpression(): boolean {
    const { kind, value } = this.#cursor.next;
    if (kind === "operator") return ["(", "[", "{", "-", "+"].includes(value);
    if (kind === "name") return !RESERVED.has(value) || value === "not";
    return kind === "string" || kind === "integer" || kind === "float";
  }
}
