/** Template text to syntax tree: the grammar of tags and blocks. */
import { Cursor } from "./cursor.ts";
import { ExpressionParser } from "./expressions.ts";
import type {
  Body,
  CallBlock,
  Expression,
  FilterBlock,
  For,
  If,
  LoopControl,
  Macro,
  Name,
  Signature,
  Statement,
  Target,
  Template,
} from "./nodes.ts";

/** Longest template, in characters; the longest known ones have under 60,000. */
const MAX_SOURCE = 1 << 18;

/** The tree of a template. Errors: {@link TemplateError}. */
export function parseTemplate(text: string): Template {
  if (text.length > MAX_SOURCE)
    throw new Error(`it has ${text.length} characters, more than ${MAX_SOURCE}`);
  const source = text.replace(/\r\n?/g, "\n");
  return { source, body: new Parser(new Cursor(source)).template() };
}

class Parser {
  readonly #cursor: Cursor;
  readonly #expressions: ExpressionParser;
  /** Variables that the macro being parsed reads, those of the macros around it below. */
  readonly #reads: Set<string>[] = [];
  #loops = 0;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
    this.#expressions = new ExpressionParser(cursor, (name) => this.#reads.at(-1)?.add(name));
  }

  template(): Body {
    return this.#body();
  }

  /** Statements up to the tag `{% name %}`, which is taken up to its name. */
  #block(...ends: readonly string[]): { body: Body; end: string } {
    const body = this.#cursor.nested(() => this.#body(...ends));
    if (!this.#cursor.accept("{%")) throw this.#cursor.unexpected(`{% ${ends.at(-1)} %}`);
    return { body, end: this.#cursor.take().value };
  }

  /** Statements up to the end, or to a tag of one of the names. */
  #body(...ends: readonly string[]): Body {
    const cursor = this.#cursor;
    const body: Statement[] = [];
    while (cursor.next.kind !== "end") {
      if (cursor.at("{%") && ends.includes(cursor.second.value)) break;
      const statement = this.#statement();
      if (statement !== undefined) body.push(statement);
    }
    return body;
  }

  #statement(): Statement | undefined {
    const cursor = this.#cursor;
    const { kind, value, at } = cursor.take();
    if (kind === "text") return { kind, at, text: value };
    if (kind === "{{") {
      const printed = this.#expressions.tuple();
      cursor.expect("}}");
      return { kind: "print", at, value: printed };
    }
    return this.#tag(at);
  }

  /** A tag, and the block that it begins, behind its `{%`. */
  #tag(at: number): Statement | undefined {
    const { value: name } = this.#cursor.expect("name");
    switch (name) {
      case "set":
        return this.#set(at);
      case "if":
        return this.#if(at);
      case "for":
        return this.#for(at);
      case "macro":
        return this.#macro(at);
      case "call":
        return this.#call(at);
      case "filter":
        return this.#filter(at);
      case "break":
      case "continue":
        return this.#loopControl(name, at);
      // Transformers marks the model's own answers with these, for training; they print nothing.
      case "generation":
      case "endgeneration":
        this.#cursor.expect("%}");
        return undefined;
      default:
        throw this.#cursor.error(`there is no tag "${name}" that could stand here`, at);
    }
  }

  #set(at: number): Statement {
    const cursor = this.#cursor;
    const target = this.#targets(() => this.#settable());
    if (cursor.accept("operator", "=")) {
      const value = this.#expressions.tuple();
      cursor.expect("%}");
      return { kind: "set", at, target, value };
    }
    cursor.expect("%}");
    const { body } = this.#block("endset");
    cursor.expect("%}");
    return { kind: "set block", at, target, body };
  }

  /** A name, or an entry of a namespace. */
  #settable(): Target {
    const cursor = this.#cursor;
    const { at, name } = this.#name();
    if (!cursor.accept("operator", ".")) return { kind: "name", at, name };
    return { kind: "entry", at, namespace: name, name: this.#name().name };
  }

  /** One target, or several with commas between them; the last comma may stand alone. */
  #targets(one: () => Target): Target {
    const cursor = this.#cursor;
    const { at } = cursor.next;
    const targets = [one()];
    if (!cursor.at("operator", ",")) return targets[0];
    while (cursor.accept("operator", ",")) {
      if (cursor.at("name", "in") || cursor.at("operator", "=", ")") || cursor.at("%}")) break;
      targets.push(one());
    }
    return { kind: "targets", at, targets };
  }

  #if(at: number): If {
    const cursor = this.#cursor;
    const branches: { test: Expression; body: Body }[] = [];
    let end = "elif";
    while (end === "elif") {
      const test = this.#expressions.expression();
      cursor.expect("%}");
      const block = this.#block("elif", "else", "endif");
      branches.push({ test, body: block.body });
      end = block.end;
    }
    return { kind: "if", at, branches, otherwise: this.#otherwise(end, "endif") };
  }

  /** The rest of a block from its `else`, if there is one, to its end. */
  #otherwise(found: string, end: string): Body {
    this.#cursor.expect("%}");
    if (found !== "else") return [];
    const { body } = this.#block(end);
    this.#cursor.expect("%}");
    return body;
  }

  #for(at: number): For {
    const cursor = this.#cursor;
    const target = this.#targets(() => this.#loopTarget());
    cursor.expect("name", "in");
    let iterable = this.#expressions.withoutCondition();
    let filter: Expression | undefined;
    if (cursor.accept("name", "if")) {
      filter = this.#expressions.withoutCondition();
      if (cursor.accept("name", "else")) {
        const otherwise = this.#expressions.expression();
        const value = iterable;
        iterable = { kind: "ternary", at: value.at, test: filter, value, otherwise };
        filter = undefined;
      }
    }
    cursor.expect("%}");
    this.#loops++;
    const { body, end } = this.#block("else", "endfor");
    this.#loops--;
    const otherwise = this.#otherwise(end, "endfor");
    return { kind: "for", at, target, iterable, filter, body, otherwise };
  }

  #loopTarget(): Target {
    if (!this.#cursor.accept("operator", "(")) return this.#name();
    const target = this.#cursor.nested(() => this.#targets(() => this.#loopTarget()));
    this.#cursor.expect("operator", ")");
    return target;
  }

  #loopControl(kind: LoopControl["kind"], at: number): LoopControl {
    if (this.#loops === 0) throw this.#cursor.error(`"${kind}" stands outside of a loop`, at);
    this.#cursor.expect("%}");
    return { kind, at };
  }

  #macro(at: number): Macro {
    const { name } = this.#name();
    const parameters = this.#parameters();
    this.#cursor.expect("%}");
    return { kind: "macro", at, name, ...this.#callable(parameters, "endmacro") };
  }

  #call(at: number): CallBlock {
    const cursor = this.#cursor;
    const parameters = cursor.at("operator", "(") ? this.#parameters() : [];
    const call = this.#expressions.expression();
    if (call.kind !== "call") throw cursor.error("a call block needs the call of a macro", at);
    cursor.expect("%}");
    return { kind: "call block", at, call, ...this.#callable(parameters, "endcall") };
  }

  /** The body of something with parameters, and what it takes. */
  #callable(
    parameters: Signature["parameters"],
    end: string,
  ): { signature: Signature; body: Body } {
    const reads = new Set<string>();
    const loops = this.#loops;
    this.#reads.push(reads);
    this.#loops = 0;
    const { body } = this.#block(end);
    this.#cursor.expect("%}");
    this.#reads.pop();
    this.#loops = loops;
    const signature = { parameters, varargs: reads.has("varargs"), kwargs: reads.has("kwargs") };
    return { signature, body };
  }

  #parameters(): Signature["parameters"] {
    const cursor = this.#cursor;
    const parameters: { name: string; fallback?: Expression }[] = [];
    cursor.expect("operator", "(");
    while (!cursor.accept("operator", ")")) {
      if (parameters.length > 0) cursor.expect("operator", ",");
      if (cursor.accept("operator", ")")) break;
      const { name, at } = this.#name();
      if (parameters.some((one) => one.name === name))
        throw cursor.error(`there are two parameters "${name}"`, at);
      if (cursor.accept("operator", "="))
        parameters.push({ name, fallback: this.#expressions.expression() });
      else if (parameters.at(-1)?.fallback !== undefined)
        throw cursor.error(`parameter "${name}" needs a default, as the one before it has`, at);
      else parameters.push({ name });
    }
    return parameters;
  }

  #filter(at: number): FilterBlock {
    const filters = [this.#expressions.filter()];
    while (this.#cursor.accept("operator", "|")) filters.push(this.#expressions.filter());
    this.#cursor.expect("%}");
    const { body } = this.#block("endfilter");
    this.#cursor.expect("%}");
    return { kind: "filter block", at, filters, body };
  }

  #name(): Name {
    const { value: name, at } = this.#cursor.expect("name");
    return { kind: "name", at, name };
  }
}
