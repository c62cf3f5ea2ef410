/** Runs templates: statements write text, expressions have values. Every step is paid for. */
import { WebggufError } from "../base/errors.ts";
import { atOnce, mapSteps } from "../base/steps.ts";
import { Budget } from "./budget.ts";
import { TemplateError } from "./errors.ts";
import { applyFilter } from "./filters.ts";
import { globals } from "./globals.ts";
import { LoopVariable } from "./loop.ts";
import { attribute, slice, subscript } from "./methods.ts";
import type {
  Argument,
  Binary,
  Body,
  Call as CallNode,
  Expression,
  FilterCall,
  For,
  If,
  Literal,
  Name,
  Signature,
  Statement,
  Target,
  Template,
  Unary,
} from "./nodes.ts";
import { binary, signed } from "./operators.ts";
import { Output } from "./output.ts";
import { printed } from "./print.ts";
import { sameForAll } from "./same.ts";
import { Scope } from "./scope.ts";
import { runTest } from "./tests.ts";
import {
  bool,
  type Call,
  dict,
  fn,
  isDict,
  isFunction,
  isList,
  isNamespace,
  iterate,
  keyOf,
  list,
  str,
  toValue,
  truthy,
  tuple,
  UNDEFINED,
  type Value,
} from "./values.ts";

/** What a rendering is given besides the variables. */
export interface RenderOptions {
  /** The time that `strftime_now` tells. */
  readonly now: Date;
  /** Units of work (`budget.ts`), besides what the input adds. @default 2^27 */
  readonly units?: number;
  /** Is given each piece that the template writes as it comes, and may end the rendering by an error. */
  readonly written?: (piece: string) => void;
}

/** How a block ended: at its end, or at the tag that leaves the loop or its iteration. */
type Ending = "end" | "break" | "continue";

/**
 * Runs a template in steps of about a millisecond: between entries of its variables, and of its loops.
 * Errors: {@link TemplateError}.
 */
export function* renderTemplateSteps(
  template: Template,
  variables: Readonly<Record<string, unknown>>,
  { now, units, written }: RenderOptions,
): Generator<void, string> {
  const budget = new Budget(units);
  const scope = new Scope();
  for (const [name, value] of globals(now)) scope.set(name, value);
  for (const [name, value] of Object.entries(variables)) {
    const isList = Array.isArray(value);
    if (isList) budget.grantEntries(value.length);
    const read = (one: unknown): Value => toValue(one, budget, Number(isList));
    scope.set(name, isList ? list(yield* mapSteps(value, read)) : read(value));
  }
  const out = new Output(budget, written);
  yield* new Interpreter(template.source, budget).steps(template.body, scope, out);
  return out.text();
}

class Interpreter {
  readonly #source: string;
  readonly #budget: Budget;

  constructor(source: string, budget: Budget) {
    this.#source = source;
    this.#budget = budget;
  }

  /** The text that a block writes. */
  render(body: Body, scope: Scope): string {
    const out = new Output(this.#budget);
    this.#block(body, scope, out);
    return out.text();
  }

  /** Runs the statements of the template itself. Loops within loops, and macros, are one step. */
  *steps(body: Body, scope: Scope, out: Output): Generator<void, void> {
    for (const statement of body)
      try {
        if (statement.kind === "if")
          yield* this.steps(this.#chosen(statement, scope).body, scope, out);
        else if (statement.kind === "for") yield* this.#iterations(statement, scope, out);
        else this.#block([statement], scope, out);
      } catch (error) {
        throw this.#located(error, statement.at);
      }
  }

  #block(body: Body, scope: Scope, out: Output): Ending {
    for (const statement of body) {
      this.#budget.enter();
      try {
        const ending = this.#run(statement, scope, out);
        if (ending !== "end") return ending;
      } catch (error) {
        throw this.#located(error, statement.at);
      } finally {
        this.#budget.leave();
      }
    }
    return "end";
  }

  #run(statement: Statement, scope: Scope, out: Output): Ending {
    switch (statement.kind) {
      case "text":
        out.add(statement.text);
        break;
      case "print":
        out.add(printed(this.#value(statement.value, scope), this.#budget));
        break;
      case "set":
        this.#assign(statement.target, this.#value(statement.value, scope), scope);
        break;
      case "set block":
        this.#assign(statement.target, str(this.render(statement.body, scope)), scope);
        break;
      case "if":
        return this.#block(this.#chosen(statement, scope).body, scope, out);
      case "for":
        return atOnce(this.#iterations(statement, scope, out));
      case "break":
      case "continue":
        return statement.kind;
      case "macro": {
        const { name, signature, body } = statement;
        scope.set(name, this.#macro(`macro "${name}"`, signature, body, scope));
        break;
      }
      case "call block": {
        const { call, signature, body } = statement;
        const caller = this.#macro("the call block", signature, body, scope);
        out.add(printed(this.#call(call, scope, caller), this.#budget));
        break;
      }
      case "filter block": {
        let value = str(this.render(statement.body, scope));
        for (const filter of statement.filters) value = this.#filter(value, filter, scope);
        out.add(printed(value, this.#budget));
      }
    }
    return "end";
  }

  /** The body of the first branch whose test is true, and how many tests that took. */
  #chosen({ branches, otherwise }: If, scope: Scope): { body: Body; tests: number } {
    const at = branches.findIndex(({ test }) => truthy(this.#value(test, scope)));
    return at < 0
      ? { body: otherwise, tests: branches.length }
      : { body: branches[at].body, tests: at + 1 };
  }

  *#iterations(node: For, outer: Scope, out: Output): Generator<void, Ending> {
    const scope = new Scope(outer);
    const { filter, body } = node;
    // A copy, since the body may change the list.
    const entries = iterate(this.#value(node.iterable, scope), this.#budget).filter((entry) => {
      this.#budget.work(16);
      if (filter === undefined) return true;
      const trial = new Scope(scope);
      this.#assign(node.target, entry, trial);
      return truthy(this.#value(filter, trial));
    });
    if (entries.length === 0) return this.#block(node.otherwise, scope, out);
    const [only] = body;
    const choice = body.length === 1 && only.kind === "if" ? only : undefined;
    for (const [i, entry] of entries.entries()) {
      this.#budget.entries(1);
      scope.set("loop", new LoopVariable(entries, i, this.#budget));
      this.#assign(node.target, entry, scope);
      const chosen = choice && this.#chosen(choice, scope);
      // Templates look for the nearest entry of a kind so, and pass over all behind it.
      if (chosen?.body.length === 0 && sameForAll(choice!, chosen.tests, node.target)) break;
      if (this.#block(chosen?.body ?? body, scope, out) === "break") break;
      if (this.#budget.isTurn()) yield;
    }
    return "end";
  }

  /** Sets a variable, an entry of a namespace, or each of several targets. */
  #assign(target: Target, value: Value, scope: Scope): void {
    if (target.kind === "name") scope.set(target.name, value);
    else if (target.kind === "entry") {
      const object = scope.get(target.namespace);
      if (!isNamespace(object))
        throw new Error(
          `"${target.namespace}" is ${object.type}; only a namespace's entries can be set`,
        );
      this.#budget.entries(1);
      object.value.set(target.name, value);
    } else {
      const { targets } = target;
      if (!isList(value) || value.value.length !== targets.length)
        throw new Error(`${value.type} does not unpack into ${targets.length} variables`);
      for (const [i, one] of targets.entries()) this.#assign(one, value.value[i], scope);
    }
  }

  /** A body as a function of its parameters. It sees the variables of where it stands. */
  #macro(title: string, signature: Signature, body: Body, outer: Scope): Value {
    const { parameters } = signature;
    return fn(({ args, named }) => {
      this.#budget.entries(5 * parameters.length);
      const scope = new Scope(outer);
      const rest = new Map(named);
      const missing = parameters.filter(({ name }, i) => {
        const value = args[i] ?? rest.get(name);
        if (args[i] === undefined) rest.delete(name);
        scope.set(name, value ?? UNDEFINED);
        return value === undefined;
      });
      const caller = rest.get("caller");
      if (caller !== undefined) scope.set("caller", caller);
      rest.delete("caller");
      if (signature.varargs) scope.set("varargs", tuple(args.slice(parameters.length)));
      else if (args.length > parameters.length)
        throw new Error(`${title} takes at most ${parameters.length} arguments`);
      if (signature.kwargs) scope.set("kwargs", dict(rest));
      else for (const name of rest.keys()) throw new Error(`${title} has no parameter "${name}"`);
      for (const { name, fallback } of missing)
        if (fallback !== undefined) scope.set(name, this.#value(fallback, scope));
      return str(this.render(body, scope));
    });
  }

  #value(node: Expression, scope: Scope): Value {
    // Most expressions are these; neither can fail or nest.
    if (node.kind === "literal" || node.kind === "name") {
      this.#budget.lookUp();
      return node.kind === "literal" ? node.value : scope.get(node.name);
    }
    this.#budget.enter();
    try {
      return this.#evaluate(node, scope);
    } catch (error) {
      throw this.#located(error, node.at);
    } finally {
      this.#budget.leave();
    }
  }

  #evaluate(node: Exclude<Expression, Literal | Name>, scope: Scope): Value {
    switch (node.kind) {
      case "list":
        return list(this.#values(node.items, scope));
      case "tuple":
        return tuple(this.#values(node.items, scope));
      case "mapping": {
        this.#budget.entries(node.entries.length);
        const entries = node.entries.map(
          ([key, value]) =>
            [keyOf(this.#value(key, scope), this.#budget), this.#value(value, scope)] as const,
        );
        return dict(new Map(entries));
      }
      case "unary":
        return this.#unary(node, scope);
      case "binary":
        return this.#binary(node, scope);
      case "ternary":
        if (truthy(this.#value(node.test, scope))) return this.#value(node.value, scope);
        return node.otherwise === undefined ? UNDEFINED : this.#value(node.otherwise, scope);
      case "member":
        return attribute(this.#value(node.object, scope), node.name);
      case "subscript": {
        const object = this.#value(node.object, scope);
        return subscript(object, this.#value(node.key, scope), this.#budget);
      }
      case "slice": {
        const object = this.#value(node.object, scope);
        const ends = [node.start, node.stop, node.step].map((end) =>
          end === undefined ? UNDEFINED : this.#value(end, scope),
        );
        return slice(object, ends as [Value, Value, Value], this.#budget);
      }
      case "call":
        return this.#call(node, scope);
      case "filter":
        return this.#filter(this.#value(node.operand, scope), node.filter, scope);
      case "test": {
        const value = this.#value(node.operand, scope);
        const { args } = this.#arguments(node.test.args, scope);
        return bool(runTest(node.test.name, value, args[0], this.#budget) !== node.negated);
      }
    }
  }

  #values(nodes: readonly Expression[], scope: Scope): Value[] {
    this.#budget.entries(nodes.length);
    return nodes.map((node) => this.#value(node, scope));
  }

  #unary({ operator, operand }: Unary, scope: Scope): Value {
    const value = this.#value(operand, scope);
    return operator === "not" ? bool(!truthy(value)) : signed(operator, value);
  }

  #binary(node: Binary, scope: Scope): Value {
    const left = this.#value(node.left, scope);
    if (node.operator === "and") return truthy(left) ? this.#value(node.right, scope) : left;
    if (node.operator === "or") return truthy(left) ? left : this.#value(node.right, scope);
    return binary(node.operator, left, this.#value(node.right, scope), this.#budget);
  }

  /** `caller` is the body of the call block that makes the call. */
  #call({ callee, args }: CallNode, scope: Scope, caller?: Value): Value {
    const called = this.#value(callee, scope);
    if (!isFunction(called)) {
      const { name } = callee as Partial<Name>;
      throw new Error(
        `${name === undefined ? "it" : `"${name}"`} is ${called.type}, not a function`,
      );
    }
    const call = this.#arguments(args, scope);
    if (caller !== undefined) call.named.set("caller", caller);
    return called.value(call);
  }

  #arguments(
    nodes: readonly Argument[],
    scope: Scope,
  ): Call & { readonly named: Map<string, Value> } {
    const args: Value[] = [];
    const named = new Map<string, Value>();
    for (const { kind, name, value: node } of nodes) {
      const value = this.#value(node, scope);
      if (kind === "*") {
        const more = iterate(value, this.#budget);
        this.#budget.entries(more.length);
        for (const one of more) args.push(one);
      } else if (kind === "**") {
        if (!isDict(value)) throw new Error(`** needs a mapping, not ${value.type}`);
        this.#budget.entries(value.value.size);
        for (const [key, one] of value.value) named.set(String(key), one);
      } else if (name !== undefined) named.set(name, value);
      else args.push(value);
    }
    return { args, named, budget: this.#budget };
  }

  #filter(value: Value, { name, args }: FilterCall, scope: Scope): Value {
    return applyFilter(name, value, this.#arguments(args, scope));
  }

  /** The error with the place in the template where it arose. */
  #located(error: unknown, at: number): unknown {
    const told = error instanceof TemplateError || error instanceof WebggufError;
    if (told || !(error instanceof Error)) return error;
    return new TemplateError(error.message, this.#source, at, error);
  }
}
