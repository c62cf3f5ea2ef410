/**
 * Whether a grammar derives a text, in the plainest way: for each term and place, all places where it
 * can end. Slow, and shares nothing with the automaton but the derivatives of expressions.
 */
import type { Grammar, Term } from "../../../src/grammar/grammar.ts";
import { derive } from "../../../src/grammar/regex/derive.ts";

export function recognise(grammar: Grammar, text: string): boolean {
  const bytes = new TextEncoder().encode(text);
  const { regex } = grammar.builder;
  const known = new Map<Term, Map<number, Set<number>>>();

  const sequence = (terms: readonly Term[], from: number): Set<number> => {
    let places = new Set([from]);
    for (const term of terms) {
      const next = new Set<number>();
      for (const place of places) for (const end of ends(term, place)) next.add(end);
      places = next;
    }
    return places;
  };

  const compute = (term: Term, from: number): Set<number> => {
    const out = new Set<number>();
    if (term.kind === "lexeme") {
      let at = term.regex;
      for (let i = from; ; i++) {
        if (at.nullable) out.add(i);
        if (i === bytes.length || at === regex.never) return out;
        at = derive(regex, at, regex.classOf[bytes[i]]);
      }
    }
    if (term.kind === "rule")
      for (const terms of grammar.rules.get(term)!)
        for (const end of sequence(terms, from)) out.add(end);
    if (term.kind === "repeat") {
      let places = new Set([from]);
      for (let count = 0; places.size > 0 && count <= term.max; count++) {
        const next = new Set<number>();
        for (const place of places) {
          if (count >= term.min) out.add(place);
          for (const end of ends(term.of, place)) if (end > place) next.add(end);
        }
        places = next;
      }
    }
    return out;
  };

  const ends = (term: Term, from: number): Set<number> => {
    let of = known.get(term);
    if (!of) known.set(term, (of = new Map()));
    let found = of.get(from);
    if (!found) of.set(from, (found = compute(term, from)));
    return found;
  };

  return ends(grammar.root, 0).has(bytes.length);
}
