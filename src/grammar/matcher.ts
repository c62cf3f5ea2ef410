/** A text in the making under a grammar: which tokens may come, and what came. */
import { Automaton, type State } from "./automaton.ts";
import type { Grammar } from "./grammar.ts";
import { Masks } from "./masks.ts";
import type { GrammarVocabulary, TokenTree } from "./vocabulary.ts";

/** Bytes to look ahead for what is forced. */
const AHEAD = 64;

/** A grammar with the tokens of a model: what all texts under it share. */
export class CompiledGrammar {
  readonly vocabulary: GrammarVocabulary;
  readonly automaton: Automaton;
  readonly masks: Masks;

  constructor(grammar: Grammar, vocabulary: GrammarVocabulary) {
    this.vocabulary = vocabulary;
    this.automaton = new Automaton(grammar);
    this.masks = new Masks(this.automaton, vocabulary);
  }

  matcher(): GrammarMatcher {
    return new GrammarMatcher(this);
  }
}

export class GrammarMatcher {
  readonly #grammar: CompiledGrammar;
  /** After each token, the first before any; null after one that ended the text. */
  #states: (State | null)[];

  constructor(grammar: CompiledGrammar, states?: readonly (State | null)[]) {
    this.#grammar = grammar;
    this.#states = states ? [...states] : [grammar.automaton.start];
  }

  get #state(): State | null {
    return this.#states[this.#states.length - 1];
  }

  /** Tokens that were accepted. */
  get length(): number {
    return this.#states.length - 1;
  }

  /** Whether the text may end here. */
  get complete(): boolean {
    return this.#state?.complete ?? true;
  }

  /** Whether the text cannot go on: it has ended, or nothing but an end may come. */
  get finished(): boolean {
    const state = this.#state;
    return !state || (state.places.length === 0 && state.tokens.length === 0);
  }

  /** Whether some token may come wherever the text is not complete: every byte is one. */
  get sure(): boolean {
    return this.#grammar.vocabulary.missing.length === 0;
  }

  /** A copy; what the one accepts does not change the other. */
  clone(): GrammarMatcher {
    return new GrammarMatcher(this.#grammar, this.#states);
  }

  /** Takes tokens back until there are `length`. */
  rollback(length: number): void {
    this.#states.length = Math.min(this.#states.length, length + 1);
  }

  /** Takes a token; false, and nothing changes, where it may not come. */
  accept(token: number): boolean {
    const state = this.#state;
    if (!state) return false;
    const next = this.#after(state, token);
    if (next === undefined) return false;
    this.#states.push(next);
    return true;
  }

  /** Whether a token may come. */
  allows(token: number): boolean {
    return this.#state !== null && this.#after(this.#state, token) !== undefined;
  }

  /** Takes bytes as one token; false where they may not come. */
  acceptBytes(bytes: Uint8Array): boolean {
    const next = this.#state && this.#grammar.automaton.stepBytes(this.#state, bytes);
    if (next) this.#states.push(next);
    return next !== null;
  }

  /** Sets the bit of every token that may come, clears those of all others, and says how many may. */
  mask(into: Uint32Array): number {
    const state = this.#state;
    if (!state) {
      into.fill(0);
      return 0;
    }
    const { count, ids, mask } = this.#grammar.masks.of(state);
    if (mask) into.set(mask);
    else {
      into.fill(0);
      for (const id of ids!) into[id >> 5] |= 1 << (id & 31);
    }
    return count;
  }

  /**
   * The token that comes next where the text goes on in one way only, else -1. Such a text is
   * written in its longest tokens; where one of them might end behind it, nothing is forced.
   */
  forced(): number {
    const state = this.#state;
    if (!state) return -1;
    const { automaton, vocabulary } = this.#grammar;
    if (!state.complete && state.places.length === 0 && state.tokens.length === 1) {
      const { ids, not } = state.tokens[0].what;
      return !not && ids.size === 1 ? [...ids][0] : -1;
    }
    const bytes: number[] = [];
    let ahead = state;
    for (let byte: number; bytes.length < AHEAD; bytes.push(byte)) {
      byte = automaton.forcedByte(ahead);
      if (byte < 0) break;
      ahead = automaton.stepByte(ahead, byte)!;
    }
    if (bytes.length === 0) return -1;
    let [longest, found] = [0, -1];
    const { plain, long, other } = vocabulary;
    for (const tree of [plain, long, other]) {
      let [from, end] = [0, tree.nodes];
      for (let i = 0; i < bytes.length && from < end; i++) {
        const node = childOf(tree, from, end, bytes[i]);
        if (node < 0) [from, end] = [0, 0];
        else {
          if (tree.token[node] >= 0 && i + 1 > longest)
            [longest, found] = [i + 1, tree.token[node]];
          [from, end] = [node + 1, tree.end[node]];
        }
      }
      if (bytes.length < AHEAD && this.#goesOn(tree, from, end, bytes.length, ahead)) return -1;
    }
    return found;
  }

  /** Whether a token of the nodes from `from` to `end`, all below one of that depth, may come. */
  #goesOn(tree: TokenTree, from: number, end: number, depth: number, state: State): boolean {
    const { automaton } = this.#grammar;
    const path: State[] = [state];
    for (let node = from; node < end; ) {
      const at = tree.depth[node] - depth;
      const next = automaton.stepByte(path[at], tree.byte[node]);
      if (next && tree.token[node] >= 0) return true;
      if (next) path[at + 1] = next;
      node = next ? node + 1 : tree.end[node];
    }
    return false;
  }

  /** The state after a token: null after an end, undefined where it may not come. */
  #after(state: State, token: number): State | null | undefined {
    const { automaton, vocabulary } = this.#grammar;
    const { size, texts } = vocabulary;
    if (!(token >= 0 && token < size)) return undefined;
    if (texts.endTokens.has(token)) {
      if (state.complete) return null;
      return automaton.stepToken(state, token, NO_TEXT, true) ?? undefined;
    }
    return automaton.stepToken(state, token, texts.bytes(token), false) ?? undefined;
  }
}

const NO_TEXT = new Uint8Array();

/** The node of a byte among those next to each other from `from` to `end`, or -1. */
function childOf(tree: TokenTree, from: number, end: number, byte: number): number {
  for (let node = from; node < end; node = tree.end[node])
    if (tree.byte[node] === byte) return node;
  return -1;
}
