/**
 * Grammars as data: what GBNF, JSON Schema, regular expressions and choices become. A text is
 * accepted if some derivation of it exists; no lexeme is longer or shorter than that asks.
 */
import { WebggufError } from "../base/errors.ts";
import { isAlive } from "./regex/derive.ts";
import { type Regex, RegexBuilder } from "./regex/regex.ts";

/** A part of a grammar. Made by {@link GrammarBuilder} only; equal ones are one object. */
export type Term = LexemeTerm | RuleTerm | TokensTerm | RepeatTerm;

/** A text that an expression matches. */
export interface LexemeTerm {
  readonly kind: "lexeme";
  readonly id: number;
  readonly regex: Regex;
}

/** What one of the rule's alternatives derives. */
export interface RuleTerm {
  readonly kind: "rule";
  readonly id: number;
  readonly name: string;
}

/** One token, whatever its text: one of `ids`, or any other with `not`. */
export interface TokensTerm {
  readonly kind: "tokens";
  readonly id: number;
  readonly ids: ReadonlySet<number>;
  readonly not: boolean;
}

/** `min` to `max` times `of`; counts cost nothing while they are not used up. */
export interface RepeatTerm {
  readonly kind: "repeat";
  readonly id: number;
  readonly of: Term;
  readonly min: number;
  readonly max: number;
}

/** The parts of a sequence; what stands first comes first. */
export type Alternative = readonly Term[];

/** A grammar that was found sound: every rule is defined and derives some text, none is left recursive. */
export interface Grammar {
  readonly builder: GrammarBuilder;
  readonly root: Term;
  /** Which alternatives a rule has; those that derive nothing are left out. */
  readonly rules: ReadonlyMap<RuleTerm, readonly Alternative[]>;
  /** Whether a term derives the empty text. */
  nullable(term: Term): boolean;
  /** A rule's place in an order in which every rule stands before those that it may begin with. */
  readonly rank: ReadonlyMap<RuleTerm, number>;
}

/** Makes a grammar, part by part. */
export class GrammarBuilder {
  readonly regex: RegexBuilder = new RegexBuilder();
  readonly #known = new Map<string, Term>();
  readonly #rules = new Map<RuleTerm, readonly Alternative[]>();
  #made = 0;

  /** A text that the expression matches. */
  lexeme(regex: Regex): LexemeTerm {
    return this.#term(`l${regex.id}`, (id) => ({ kind: "lexeme", id, regex })) as LexemeTerm;
  }

  /** This text. */
  literal(text: string): LexemeTerm {
    return this.lexeme(this.regex.text(text));
  }

  /** One of these tokens, or with `not` any but them. */
  tokens(ids: Iterable<number>, not = false): TokensTerm {
    const sorted = [...new Set(ids)].sort((a, b) => a - b);
    const key = `t${not}${sorted}`;
    return this.#term(key, (id) => ({
      ...{ kind: "tokens", id, ids: new Set(sorted), not },
    })) as TokensTerm;
  }

  /** A rule to be defined; every call makes another one, also of the same name. */
  rule(name: string): RuleTerm {
    const rule: RuleTerm = { kind: "rule", id: this.#made++, name };
    this.#rules.set(rule, []);
    return rule;
  }

  /** Gives a rule (further) alternatives; an empty one is the empty text. */
  define(rule: RuleTerm, ...alternatives: readonly Alternative[]): RuleTerm {
    this.#rules.set(rule, [...this.#rules.get(rule)!, ...alternatives]);
    return rule;
  }

  /** Gives a rule these alternatives in place of those that it has. */
  redefine(rule: RuleTerm, ...alternatives: readonly Alternative[]): RuleTerm {
    this.#rules.set(rule, alternatives);
    return rule;
  }

  /** `min` to `max` times the term. */
  repeat(of: Term, min: number, max: number = Number.POSITIVE_INFINITY): Term {
    if (min === 1 && max === 1) return of;
    if (max < min) return this.lexeme(this.regex.never);
    if (max === 0) return this.lexeme(this.regex.empty);
    return this.#term(`r${of.id},${min},${max}`, (id) => ({ kind: "repeat", id, of, min, max }));
  }

  optional(term: Term): Term {
    return this.repeat(term, 0, 1);
  }

  /** A sequence as one term. */
  sequence(...terms: Alternative): Term {
    return this.choice(terms);
  }

  /** Any of the sequences, as one term. */
  choice(...alternatives: readonly Alternative[]): Term {
    if (alternatives.length === 1 && alternatives[0].length === 1) return alternatives[0][0];
    return this.define(this.rule(""), ...alternatives);
  }

  #isFertile(term: Term): boolean {
    if (term.kind === "tokens") return term.not || term.ids.size > 0;
    if (term.kind !== "lexeme") return false;
    this.regex.mostNodes = Math.max(this.regex.mostNodes, 4 * term.regex.size);
    return isAlive(this.regex, term.regex);
  }

  #term(key: string, make: (id: number) => Term): Term {
    let known = this.#known.get(key);
    if (!known) this.#known.set(key, (known = make(this.#made++)));
    return known;
  }

  /**
   * The grammar whose texts `root` derives.
   *
   * @param others terms that must be sound too, though `root` may not lead to them
   * @throws WebggufError `grammar/invalid` where it derives no text, or a rule is left recursive
   */
  build(root: Term, others: readonly Term[] = []): Grammar {
    const rules = reachable([root, ...others], this.#rules);
    const nullable = holding(rules, (term) => term.kind === "lexeme" && term.regex.nullable);
    const fertile = holding(rules, (term) => this.#isFertile(term));
    if (!fertile(root))
      throw new WebggufError("grammar/invalid", "Cannot use the grammar: no text at all fits it");
    for (const [rule, alternatives] of rules)
      rules.set(
        rule,
        alternatives.filter((terms) => terms.every(fertile)),
      );
    return { builder: this, root, rules, nullable, rank: ranks(rules, nullable) };
  }
}

/** The rules that the terms lead to. */
function reachable(
  terms: readonly Term[],
  all: ReadonlyMap<RuleTerm, readonly Alternative[]>,
): Map<RuleTerm, readonly Alternative[]> {
  const rules = new Map<RuleTerm, readonly Alternative[]>();
  const left: Term[] = [...terms];
  for (let term = left.pop(); term; term = left.pop()) {
    if (term.kind === "repeat") left.push(term.of);
    if (term.kind !== "rule" || rules.has(term)) continue;
    const alternatives = all.get(term)!;
    rules.set(term, alternatives);
    for (const terms of alternatives) left.push(...terms);
  }
  return rules;
}

/** Of which terms it holds, where it holds of a rule by all terms of an alternative. */
function holding(
  rules: ReadonlyMap<RuleTerm, readonly Alternative[]>,
  leaf: (term: Term) => boolean,
): (term: Term) => boolean {
  const found = new Set<RuleTerm>();
  const holds = (term: Term): boolean => {
    if (term.kind === "rule") return found.has(term);
    if (term.kind === "repeat") return term.min === 0 || holds(term.of);
    return leaf(term);
  };
  /** Which rules name a rule. */
  const users = new Map<RuleTerm, RuleTerm[]>();
  for (const [rule, alternatives] of rules)
    for (let term of alternatives.flat()) {
      while (term.kind === "repeat") term = term.of;
      if (term.kind !== "rule") continue;
      const of = users.get(term);
      if (of) of.push(rule);
      else users.set(term, [rule]);
    }
  const left = [...rules.keys()];
  for (let rule = left.pop(); rule; rule = left.pop()) {
    if (found.has(rule) || !rules.get(rule)!.some((terms) => terms.every(holds))) continue;
    found.add(rule);
    for (const user of users.get(rule) ?? []) left.push(user);
  }
  return holds;
}

/** The rules in the order of {@link Grammar.rank}. */
function ranks(
  rules: ReadonlyMap<RuleTerm, readonly Alternative[]>,
  nullable: (term: Term) => boolean,
): Map<RuleTerm, number> {
  const begins = (rule: RuleTerm): RuleTerm[] => {
    const out: RuleTerm[] = [];
    for (const terms of rules.get(rule)!)
      for (const term of terms) {
        let inner = term;
        while (inner.kind === "repeat") inner = inner.of;
        if (inner.kind === "rule") out.push(inner);
        if (!nullable(term)) break;
      }
    return out;
  };
  const done: RuleTerm[] = [];
  const state = new Map<RuleTerm, "open" | "done">();
  for (const start of rules.keys()) {
    if (state.has(start)) continue;
    const path = [{ rule: start, left: begins(start) }];
    state.set(start, "open");
    while (path.length > 0) {
      const top = path[path.length - 1];
      const next = top.left.pop();
      if (!next) {
        state.set(top.rule, "done");
        done.push(top.rule);
        path.pop();
      } else if (state.get(next) === "open") {
        const name = [next, ...path.map(({ rule }) => rule)].find(({ name }) => name)?.name;
        throw new WebggufError(
          "grammar/invalid",
          `Cannot use the grammar: ${name ? `the rule "${name}"` : "a rule"} is left recursive; let something stand before the rule where it names itself`,
        );
      } else if (!state.has(next)) {
        state.set(next, "open");
        path.push({ rule: next, left: begins(next) });
      }
    }
  }
  return new Map(done.reverse().map((rule, i) => [rule, i]));
}
