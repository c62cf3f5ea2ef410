/**
 * What of a text can follow what came, as states that a byte leads from and to. A state is a set of
 * places in the grammar: an expression that is being matched, and what comes after it. That "after"
 * is a sequence of terms within a rule and then, once the rule is through, any place from where the
 * rule was begun; all places that begin a rule at the same byte share one such set (as in Earley's
 * parser and in Tomita's stacks), so that ambiguous grammars cost no exponential time.
 *
 * Equal states are one object and remember where they lead: where the grammar is regular this is a
 * deterministic automaton, made as far as it is used. States are bounded: places beyond
 * {@link MOST_PLACES} are left out, which makes the language smaller and never larger.
 */
import type { Alternative, Grammar, RuleTerm, Term, TokensTerm } from "./grammar.ts";
import { derive, firstBytes, isAlive } from "./regex/derive.ts";
import type { Regex, RegexBuilder } from "./regex/regex.ts";

/** Places of a state, and of where a rule was begun, at most. */
const MOST_PLACES = 1000;
/** States and parts of them that are remembered at most. */
const MOST_REMEMBERED = 100_000;
/** Expressions that are remembered at most. */
const MOST_EXPRESSIONS = 200_000;
/** Ids are below this, so that two of them are one number. */
const IDS = 2 ** 26;

/** Terms that follow one another. */
interface List {
  readonly id: number;
  readonly term: Term;
  readonly rest: List | undefined;
}

/** What is to come in a rule, and where the rule was begun. */
interface After {
  readonly id: number;
  /** Undefined: the rule is through. */
  readonly list: List | undefined;
  readonly callers: Callers;
}

/** What comes after a rule, any of these. */
interface Callers {
  readonly id: number;
  readonly afters: readonly After[];
}

interface Place<T> {
  readonly id: number;
  /** What is matched here. */
  readonly what: T;
  readonly after: After;
}

/** A state that is being put together. */
interface Opening {
  readonly places: Set<Place<Regex>>;
  readonly tokens: Set<Place<TokensTerm>>;
  /** What begins the rules that begin here, in the order of their ranks. */
  readonly begun: Map<RuleTerm, Set<After>>;
}

export class State {
  readonly places: readonly Place<Regex>[];
  /** Where a token is wanted, whatever its text. */
  readonly tokens: readonly Place<TokensTerm>[];
  /** Whether the text may end here. */
  readonly complete: boolean;
  /** By class of byte; null: no text goes on like that; undefined: not asked yet. */
  readonly next: (State | null | undefined)[] = [];
  /** By what is left of the places' expressions. */
  readonly byRest: Map<string, State | null> = new Map();
  /** What others remember of it. */
  memo: unknown;

  constructor(places: State["places"], tokens: State["tokens"], complete: boolean) {
    this.places = places;
    this.tokens = tokens;
    this.complete = complete;
  }
}

const byId = (a: { id: number }, b: { id: number }): number => a.id - b.id;

const idsOf = (list: readonly { id: number }[]): string => list.map(({ id }) => id).join();

export class Automaton {
  readonly #grammar: Grammar;
  readonly #regex: RegexBuilder;
  readonly #lists = new Map<number, List>();
  readonly #afters = new Map<number, After>();
  readonly #callers = new Map<string, Callers>();
  readonly #places = new Map<number, Place<Regex> | Place<TokensTerm>>();
  readonly #states = new Map<string, State>();
  readonly #alternatives = new Map<RuleTerm, (List | undefined)[]>();
  #made = 1;
  #expressions = 0;
  /** After this one the text is through. */
  readonly #end: After = { id: 0, list: undefined, callers: { id: 0, afters: [] } };
  readonly start: State;

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
    this.#regex = grammar.builder.regex;
    const whole = this.#callersOf(new Set([this.#end]));
    this.start = this.#close([], [], [this.#after(this.#list(grammar.root, undefined), whole)]);
  }

  /** The classes of bytes, which states tell apart. */
  get classOf(): Uint8Array {
    return this.#regex.classOf;
  }

  /** A byte of each class. */
  get classBytes(): readonly number[] {
    return this.#regex.classBytes;
  }

  /** The state after a byte of the class, or null where no text goes on so. */
  step(state: State, byteClass: number): State | null {
    const known = state.next[byteClass];
    if (known !== undefined) return known;
    return (state.next[byteClass] = this.#compute(state, byteClass));
  }

  /** The state after a byte. */
  stepByte(state: State, byte: number): State | null {
    return this.step(state, this.#regex.classOf[byte]);
  }

  /** The state after bytes, or null. */
  stepBytes(from: State, bytes: Uint8Array): State | null {
    let state: State | null = from;
    for (let i = 0; i < bytes.length && state; i++) state = this.stepByte(state, bytes[i]);
    return state;
  }

  /**
   * The state after a token with that id (if it is wanted as such) and text (if it has any). One that
   * ends texts is wanted only where it is named.
   */
  stepToken(state: State, id: number, bytes: Uint8Array, ends: boolean): State | null {
    const byText = bytes.length > 0 ? this.stepBytes(state, bytes) : null;
    const wanted = state.tokens.filter(({ what: { ids, not } }) =>
      not ? !ends && !ids.has(id) : ids.has(id),
    );
    if (wanted.length === 0) return byText;
    const afters = wanted.map(({ after }) => after);
    return this.#close(byText?.places ?? [], byText?.tokens ?? [], afters, byText?.complete);
  }

  /** The only byte that a text can go on with; -1 where there are several, or it may end, or a token is wanted. */
  forcedByte(state: State): number {
    if (state.complete || state.tokens.length > 0) return -1;
    let forced = -1;
    for (const { what } of state.places)
      for (const [i, word] of firstBytes(what).entries()) {
        if (word === 0) continue;
        const byte = 32 * i + 31 - Math.clz32(word);
        if ((word & (word - 1)) !== 0 || (forced >= 0 && forced !== byte)) return -1;
        forced = byte;
      }
    return forced >= 0 && this.stepByte(state, forced) ? forced : -1;
  }

  #compute(state: State, byteClass: number): State | null {
    const regex = this.#regex;
    const rests: Regex[] = [];
    let key = "";
    for (const { what } of state.places) {
      let rest = derive(regex, what, byteClass);
      if (rest.doubtful && !isAlive(regex, rest)) rest = regex.never;
      rests.push(rest);
      key += rest === regex.never ? "," : `${rest.id},`;
    }
    const known = state.byRest.get(key);
    if (known !== undefined) return known;
    const places: Place<Regex>[] = [];
    const through: After[] = [];
    for (const [i, { after }] of state.places.entries()) {
      const rest = rests[i];
      if (rest === regex.never) continue;
      if (rest !== regex.empty) places.push(this.#place(rest, after));
      if (rest.nullable) through.push(after);
    }
    const next = places.length + through.length > 0 ? this.#close(places, [], through) : null;
    state.byRest.set(key, next);
    return next;
  }

  /** The state of these places, and of all that begins where something is through. */
  #close(
    given: readonly Place<Regex>[],
    tokensGiven: readonly Place<TokensTerm>[],
    through: readonly After[],
    completeBefore = false,
  ): State {
    this.#tidy();
    const { rank } = this.#grammar;
    const [places, tokens] = [new Set(given), new Set(tokensGiven)];
    const to: Opening = { places, tokens, begun: new Map() };
    let complete = completeBefore;
    const seen = new Set<After>();
    const left = [...through];
    for (let after = left.pop(); after; after = left.pop()) {
      if (seen.has(after)) continue;
      seen.add(after);
      if (after === this.#end) complete = true;
      else if (this.#advance(after.list, after.callers, to)) left.push(...after.callers.afters);
    }
    const { begun } = to;
    while (begun.size > 0) {
      let first: RuleTerm | undefined;
      for (const rule of begun.keys())
        if (!first || rank.get(rule)! < rank.get(first)!) first = rule;
      const callers = this.#callersOf(begun.get(first!)!);
      begun.delete(first!);
      // An alternative that is empty was skipped where its rule was begun.
      for (const list of this.#alternativesOf(first!)) this.#advance(list, callers, to);
    }
    return this.#state([...places], [...tokens], complete);
  }

  /** Begins what may stand first; true if the whole list may be empty. */
  #advance(list: List | undefined, callers: Callers, to: Opening): boolean {
    for (let at = list; at; at = at.rest) {
      this.#begin(at.term, at.rest, callers, to);
      if (!this.#grammar.nullable(at.term)) return false;
    }
    return true;
  }

  #begin(term: Term, rest: List | undefined, callers: Callers, to: Opening): void {
    if (term.kind === "lexeme") {
      if (term.regex.kind !== "empty" && term.regex.kind !== "never")
        to.places.add(this.#place(term.regex, this.#after(rest, callers)));
    } else if (term.kind === "tokens") {
      to.tokens.add(this.#place(term, this.#after(rest, callers)));
    } else if (term.kind === "repeat") {
      const { of, min, max } = term;
      const again = this.#grammar.builder.repeat(of, Math.max(0, min - 1), max - 1);
      this.#begin(of, max === 1 ? rest : this.#list(again, rest), callers, to);
    } else {
      let from = to.begun.get(term);
      if (!from) to.begun.set(term, (from = new Set()));
      // Where a rule ends with another, the other goes back to where the first was begun.
      if (rest === undefined) for (const after of callers.afters) from.add(after);
      else from.add(this.#after(rest, callers));
    }
  }

  #alternativesOf(rule: RuleTerm): readonly (List | undefined)[] {
    let lists = this.#alternatives.get(rule);
    if (!lists) {
      lists = this.#grammar.rules.get(rule)!.map((terms) => this.#listOf(terms));
      this.#alternatives.set(rule, lists);
    }
    return lists;
  }

  #listOf(terms: Alternative): List | undefined {
    return terms.reduceRight<List | undefined>((rest, term) => this.#list(term, rest), undefined);
  }

  #list(term: Term, rest: List | undefined): List {
    const key = term.id * IDS + (rest?.id ?? 0);
    let known = this.#lists.get(key);
    if (!known) this.#lists.set(key, (known = { id: this.#made++, term, rest }));
    return known;
  }

  #after(list: List | undefined, callers: Callers): After {
    // To be through and then go on in one place is to go on there.
    if (!list && callers.afters.length === 1) return callers.afters[0];
    const key = (list?.id ?? 0) * IDS + callers.id;
    let known = this.#afters.get(key);
    if (!known) this.#afters.set(key, (known = { id: this.#made++, list, callers }));
    return known;
  }

  #callersOf(set: Set<After>): Callers {
    const afters = [...set].sort((a, b) => a.id - b.id).slice(0, MOST_PLACES);
    const key = afters.map(({ id }) => id).join();
    let known = this.#callers.get(key);
    if (!known) this.#callers.set(key, (known = { id: this.#made++, afters }));
    return known;
  }

  #place<T extends Regex | TokensTerm>(what: T, after: After): Place<T> {
    // Expressions and terms are numbered apart.
    const key = (2 * what.id + (what.kind === "tokens" ? 1 : 0)) * IDS + after.id;
    let known = this.#places.get(key) as Place<T> | undefined;
    if (!known) this.#places.set(key, (known = { id: this.#made++, what, after }) as never);
    return known;
  }

  #state(places: Place<Regex>[], tokens: Place<TokensTerm>[], complete: boolean): State {
    if (places.length > MOST_PLACES) places.length = MOST_PLACES;
    if (tokens.length > MOST_PLACES) tokens.length = MOST_PLACES;
    places.sort(byId);
    tokens.sort(byId);
    const key = `${idsOf(places)};${idsOf(tokens)};${complete}`;
    let known = this.#states.get(key);
    if (!known) this.#states.set(key, (known = new State(places, tokens, complete)));
    return known;
  }

  /** Forgets what can be made again, once it has become much. */
  #tidy(): void {
    const { size } = this.#places;
    const parts = this.#states.size + this.#afters.size + this.#callers.size + size;
    if (this.#regex.made - this.#expressions > MOST_EXPRESSIONS) {
      this.#expressions = this.#regex.made;
      this.#regex.forget();
    } else if (parts < MOST_REMEMBERED) return;
    for (const state of [this.start, ...this.#states.values()]) {
      state.next.length = 0;
      state.byRest.clear();
      state.memo = undefined;
    }
    for (const map of [this.#lists, this.#afters, this.#callers, this.#places, this.#states])
      map.clear();
    this.#alternatives.clear();
  }
}
