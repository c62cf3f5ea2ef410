/**
 * The interpreter of chat templates: that of `@huggingface/jinja`, with a budget in every evaluation,
 * and with operators, filters, tests, methods and printing as Python and llama.cpp have them.
 */
import { Budget } from "./budget.ts";
import { applyFilter } from "./filters.ts";
import { globals } from "./globals.ts";
import { attribute, type Bound, slice, subscript } from "./methods.ts";
import type {
  Binary,
  CallNode,
  FilterBlock,
  FilterNode,
  For,
  Keyword,
  Mapping,
  Member,
  Named,
  Select,
  Sequence,
  Slice,
  Spread,
  TestNode,
} from "./nodes.ts";
import { binary } from "./operators.ts";
import { Environment, Interpreter, type Node, type Program, type Scope } from "./package.ts";
import type { Print } from "./parse.ts";
import { printed, text } from "./print.ts";
import { lookUp, loopRecord } from "./scope.ts";
import type { Call } from "./strings.ts";
import { runTest } from "./tests.ts";
import {
  bool,
  dict,
  fn,
  int,
  isDict,
  isFunction,
  isList,
  isString,
  iterate,
  keyOf,
  keywords,
  list,
  str,
  toValue,
  truthy,
  tuple,
  typeName,
  undef,
  type Value,
} from "./values.ts";

class BreakLoop extends Error {}
class NextIteration extends Error {}

/** What a rendering is given besides the variables. */
export interface RenderLimits {
  /** Milliseconds until it is stopped. */
  readonly timeoutMs: number;
  /** The time that `strftime_now` tells. */
  readonly now: Date;
}

/** Runs a template. Errors are plain: the caller names the file. */
export function renderTemplate(
  program: Program,
  variables: Readonly<Record<string, unknown>>,
  limits: RenderLimits,
): string {
  const budget = new Budget(limits.timeoutMs);
  const scope = new Environment();
  for (const [name, value] of globals(budget, limits.now)) scope.setVariable(name, value);
  for (const [name, value] of Object.entries(variables))
    scope.setVariable(name, toValue(value, budget));
  return text(new ChatInterpreter(scope, budget).run(program), budget);
}

class ChatInterpreter extends Interpreter {
  readonly #budget: Budget;

  constructor(globals: Scope, budget: Budget) {
    super(globals);
    this.#budget = budget;
  }

  override evaluate(node: Node | undefined, scope: Scope): Value {
    if (node === undefined) return undef();
    this.#budget.enter();
    try {
      return this.#evaluate(node, scope);
    } finally {
      this.#budget.leave();
    }
  }

  #evaluate(node: Node, scope: Scope): Value {
    switch (node.type) {
      case "Print":
        return this.#made(printed(this.evaluate((node as Print).expression, scope), this.#budget));
      case "Identifier":
        return lookUp((node as Named).value, scope);
      case "BinaryExpression":
        return this.#binary(node as Binary, scope);
      case "MemberExpression":
        return this.#member(node as Member, scope);
      case "CallExpression":
        return this.#call(node as CallNode, scope);
      case "FilterExpression": {
        const { operand, filter } = node as FilterNode;
        return this.#filter(this.evaluate(operand, scope), filter, scope);
      }
      case "FilterStatement": {
        const { body, filter } = node as FilterBlock;
        return this.#filter(str(this.#block(body, scope)), filter, scope);
      }
      case "TestExpression": {
        const { operand, negate, test } = node as TestNode;
        const value = this.evaluate(operand, scope);
        return bool(runTest(test.value, value, undefined, this.#budget) !== negate);
      }
      case "ArrayLiteral":
        return list(this.#sequence(node as Sequence, scope));
      case "TupleLiteral":
        return tuple(this.#sequence(node as Sequence, scope));
      case "ObjectLiteral": {
        const entries = [...(node as Mapping).value];
        this.#budget.entries(entries.length);
        return dict(
          new Map(
            entries.map(([key, value]) => [
              keyOf(this.evaluate(key, scope), this.#budget),
              this.evaluate(value, scope),
            ]),
          ),
        );
      }
      case "For":
        return this.#made(this.#loop(node as For, scope));
      case "Break":
        throw new BreakLoop();
      case "Continue":
        throw new NextIteration();
      default: {
        const value = super.evaluate(node, scope);
        if (isString(value)) this.#budget.text(value.value.length);
        return value;
      }
    }
  }

  /** New text as a value, paid for. */
  #made(value: string): Value {
    this.#budget.text(value.length);
    return str(value);
  }

  #block(body: readonly Node[], scope: Scope): string {
    let out = "";
    for (const statement of body) {
      const value = this.evaluate(statement, scope);
      if (isString(value)) out += value.value;
      this.#budget.text(out.length === 0 ? 0 : 1);
    }
    return out;
  }

  #sequence(node: Sequence, scope: Scope): Value[] {
    this.#budget.entries(node.value.length);
    return node.value.map((item) => this.evaluate(item, scope));
  }

  #binary(node: Binary, scope: Scope): Value {
    const operator = node.operator.value;
    const left = this.evaluate(node.left, scope);
    if (operator === "and") return truthy(left) ? this.evaluate(node.right, scope) : left;
    if (operator === "or") return truthy(left) ? left : this.evaluate(node.right, scope);
    return binary(operator, left, this.evaluate(node.right, scope), this.#budget);
  }

  #member({ object, property, computed }: Member, scope: Scope): Value {
    const value = this.evaluate(object, scope);
    if (!computed) {
      const name = (property as Node & { value: string | number }).value;
      if (typeof name === "number") return subscript(value, int(name), this.#budget, this.#bind);
      return attribute(value, name, this.#bind);
    }
    if (property.type === "SliceExpression") {
      const { start, stop, step } = property as Slice;
      const ends = [start, stop, step].map((end) => this.evaluate(end, scope));
      return slice(value, ends as [Value, Value, Value], this.#budget);
    }
    return subscript(value, this.evaluate(property, scope), this.#budget, this.#bind);
  }

  /** A method as a value that can be called. */
  readonly #bind = (method: Bound): Value => fn((args) => method(this.#arguments(args)));

  /** Splits the arguments of a call as the package passes them: keywords come last, as one value. */
  #arguments(args: readonly Value[]): Call {
    const last = args.at(-1);
    const named =
      last?.type === "KeywordArgumentsValue" ? (last.value as Map<string, Value>) : undefined;
    return {
      args: named === undefined ? args : args.slice(0, -1),
      named: named ?? new Map<string, Value>(),
      budget: this.#budget,
    };
  }

  #call({ callee, args }: CallNode, scope: Scope): Value {
    const called = this.evaluate(callee, scope);
    if (!isFunction(called)) {
      const name = (callee as Partial<Member>).property ?? callee;
      throw new Error(
        `"${String((name as Partial<Named>).value)}" is ${typeName(called)}, no function`,
      );
    }
    const { args: values, named } = this.#evaluateArguments(args, scope);
    const value = called.value(named.size > 0 ? [...values, keywords(named)] : [...values], scope);
    if (isString(value)) this.#budget.text(value.value.length);
    return value;
  }

  #evaluateArguments(
    nodes: readonly Node[],
    scope: Scope,
  ): { args: Value[]; named: Map<string, Value> } {
    const args: Value[] = [];
    const named = new Map<string, Value>();
    for (const node of nodes) {
      if (node.type === "SpreadExpression") {
        const more = iterate(this.evaluate((node as Spread).argument, scope), this.#budget);
        this.#budget.entries(more.length);
        for (const value of more) args.push(value);
      } else if (node.type === "KeywordSpreadExpression") {
        const more = this.evaluate((node as Spread).argument, scope);
        if (!isDict(more)) throw new Error(`** needs a mapping, not ${typeName(more)}`);
        this.#budget.entries(more.value.size);
        for (const [key, value] of more.value) named.set(String(key), value);
      } else if (node.type === "KeywordArgumentExpression") {
        const { key, value } = node as Keyword;
        named.set(key.value, this.evaluate(value, scope));
      } else args.push(this.evaluate(node, scope));
    }
    return { args, named };
  }

  #filter(value: Value, filter: Node, scope: Scope): Value {
    const call = filter.type === "CallExpression" ? (filter as CallNode) : undefined;
    const name = ((call?.callee ?? filter) as Named).value;
    const given = this.#evaluateArguments(call?.args ?? [], scope);
    return applyFilter(name, value, { ...given, budget: this.#budget });
  }

  #loop(node: For, outer: Scope): string {
    const scope = new Environment(outer);
    const select =
      node.iterable.type === "SelectExpression" ? (node.iterable as Select) : undefined;
    let entries = iterate(this.evaluate(select?.lhs ?? node.iterable, scope), this.#budget);
    this.#budget.entries(entries.length);
    entries = entries.filter((entry) => {
      if (select === undefined) return true;
      const trial = new Environment(scope);
      this.#assign(node.loopvar, entry, trial);
      return truthy(this.evaluate(select.test, trial));
    });
    let out = "";
    for (const [i, entry] of entries.entries()) {
      this.#budget.tick();
      scope.setVariable("loop", loopRecord(entries, i));
      this.#assign(node.loopvar, entry, scope);
      try {
        out += this.#block(node.body, scope);
      } catch (signal) {
        if (signal instanceof NextIteration) continue;
        if (signal instanceof BreakLoop) break;
        throw signal;
      }
    }
    return entries.length === 0 ? this.#block(node.defaultBlock, scope) : out;
  }

  /** Sets the loop variable, or each of several from the entries of `value`. */
  #assign(target: Node, value: Value, scope: Scope): void {
    if (target.type === "Identifier") {
      scope.setVariable((target as Named).value, value);
      return;
    }
    const names = (target as Sequence).value;
    if (!isList(value) || value.value.length !== names.length)
      throw new Error(`${typeName(value)} does not unpack into ${names.length} variables`);
    names.forEach((name, i) => {
      this.#assign(name, value.value[i], scope);
    });
  }
}
