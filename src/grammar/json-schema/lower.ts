/** From shapes to the rules of a grammar. */
import type { GrammarBuilder, RuleTerm, Term } from "../grammar.ts";
import type { Regex } from "../regex/regex.ts";
import type { SchemaObject } from "./document.ts";
import type { Expander } from "./expand.ts";
import { arrayAlternatives } from "./lower-arrays.ts";
import { objectAlternatives } from "./lower-objects.ts";
import { refuse } from "./refuse.ts";
import type { Rules } from "./rules.ts";
import type { Goal } from "./shape.ts";

/** Rules of a grammar, at most. */
const MOST_RULES = 20_000;

export class Lowering implements Rules {
  readonly builder: GrammarBuilder;
  readonly expander: Expander;
  /** White space, where it may stand. */
  readonly space: Regex;
  readonly #values = new Map<string, Term>();
  readonly #left: { rule: RuleTerm; goal: Goal }[] = [];
  #rules = 0;
  /** The schema that is being made into rules; for errors. */
  #at: SchemaObject | undefined;

  constructor(builder: GrammarBuilder, expander: Expander, space: Regex) {
    this.builder = builder;
    this.expander = expander;
    this.space = space;
  }

  /** The values that meet the goal, and all that they lead to. */
  root(goal: Goal): Term {
    const term = this.value(goal);
    this.finish();
    return term;
  }

  /** Makes the rules of all values that were asked for. */
  finish(): void {
    for (let next = this.#left.pop(); next; next = this.#left.pop()) {
      const { rule, goal } = next;
      this.#at = goal?.[0]?.schema;
      const { objects, arrays } = this.expander.expand(goal);
      const scalar = this.scalar(goal);
      if (scalar) this.builder.define(rule, [this.builder.lexeme(scalar)]);
      for (const shape of arrays) this.builder.define(rule, ...arrayAlternatives(this, shape));
      for (const shape of objects) this.builder.define(rule, ...objectAlternatives(this, shape));
    }
  }

  value(goal: Goal): Term {
    const key = this.expander.key(goal);
    const known = this.#values.get(key);
    if (known) return known;
    const { objects, arrays } = this.expander.expand(goal);
    let term: Term;
    if (objects.length + arrays.length === 0)
      term = this.builder.lexeme(this.scalar(goal) ?? this.expander.use.r.never);
    else {
      const rule = this.rule();
      this.#left.push({ rule, goal });
      term = rule;
    }
    this.#values.set(key, term);
    return term;
  }

  rule(): RuleTerm {
    if (++this.#rules > MOST_RULES)
      this.refuse("$ref", "the grammar has too many rules; make the schema smaller");
    return this.builder.rule("");
  }

  refuse(keyword: string, what: string): never {
    refuse(keyword, this.#at ? this.expander.document.pointer(this.#at) : "", what);
  }

  refuseAt(keyword: string, at: SchemaObject, what: string): never {
    refuse(keyword, this.expander.document.pointer(at), what);
  }

  /** The values that are neither lists nor objects. */
  scalar(goal: Goal): Regex | undefined {
    const { use } = this.expander;
    const { r } = use;
    const shape = this.expander.expand(goal);
    const parts: Regex[] = [];
    if (shape.null) parts.push(r.text("null"));
    if (shape.true) parts.push(r.text("true"));
    if (shape.false) parts.push(r.text("false"));
    if (use.alive(shape.numbers)) parts.push(shape.numbers);
    if (use.alive(shape.strings)) {
      const quote = r.text('"');
      parts.push(r.concat(quote, shape.strings, quote));
    }
    return parts.length > 0 ? r.or(...parts) : undefined;
  }

  /** A text of JSON's and the white space that may follow. */
  mark(text: string): Term {
    const { r } = this.expander.use;
    return this.builder.lexeme(r.concat(r.text(text), this.space));
  }

  /** The end of a list or an object, and the white space that may stand before. */
  end(text: string): Term {
    const { r } = this.expander.use;
    return this.builder.lexeme(r.concat(this.space, r.text(text)));
  }
}
