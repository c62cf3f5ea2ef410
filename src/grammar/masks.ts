/** Which tokens may come in a state, remembered by state. */
import type { Automaton, State } from "./automaton.ts";
import { isFree, plainRun } from "./plain.ts";
import { type GrammarVocabulary, MOST_COUNTED, type TokenTree } from "./vocabulary.ts";

/** Masks of few tokens are kept as a list. */
const FEW = 512;
/** Whole masks that are remembered at most: 19 KB each at 151,936 tokens. */
const MOST_MASKS = 256;

/** Below a node of more nodes than this it is asked whether all of them may come. */
const LARGE = 8;

/** The tokens that may come: as a list where they are few, else a bit a token. */
export interface Allowed {
  readonly count: number;
  readonly ids?: Int32Array;
  readonly mask?: Uint32Array;
}

export class Masks {
  readonly #automaton: Automaton;
  readonly #vocabulary: GrammarVocabulary;
  readonly #kept: State[] = [];
  readonly #path: (State | null)[];
  /** Whether any number of plain characters leads back to the state. */
  readonly #free = new WeakMap<State, boolean>();

  constructor(automaton: Automaton, vocabulary: GrammarVocabulary) {
    this.#automaton = automaton;
    this.#vocabulary = vocabulary;
    const { plain, long, other } = vocabulary;
    const deepest = Math.max(plain.deepest, long.deepest, other.deepest);
    this.#path = new Array<State | null>(deepest + 1).fill(null);
  }

  /** The tokens whose text a state goes on with, those wanted as such, and the ones that end a text that may end. */
  of(state: State): Allowed {
    const known = state.memo as Allowed | undefined;
    if (known) return known;
    const { words, endTokens } = this.#vocabulary;
    const mask = new Uint32Array(words);
    this.#texts(state, mask);
    for (const { what } of state.tokens) this.#wanted(what.ids, what.not, mask);
    if (state.complete) for (const id of endTokens) mask[id >> 5] |= 1 << (id & 31);
    let count = 0;
    for (let i = 0; i < words; i++) if (mask[i] !== 0) count += bits(mask[i]);
    const allowed = count <= FEW ? { count, ids: idsOf(mask, count) } : { count, mask };
    if (allowed.mask && this.#kept.push(state) > MOST_MASKS) this.#kept.shift()!.memo = undefined;
    state.memo = allowed;
    return allowed;
  }

  #texts(state: State, mask: Uint32Array): void {
    if (state.places.length === 0) return;
    const { plain, long, other, plainUpTo } = this.#vocabulary;
    const { atLeast, exact } = this.#run(state);
    const all =
      plainUpTo[Math.min(atLeast, MOST_COUNTED + (atLeast === Number.POSITIVE_INFINITY ? 1 : 0))];
    for (let i = 0; i < mask.length; i++) mask[i] |= all[i];
    if (!exact && atLeast < MOST_COUNTED) this.#walk(plain, state, mask);
    if (!exact && atLeast !== Number.POSITIVE_INFINITY) this.#walk(long, state, mask);
    this.#walk(other, state, mask);
  }

  #run(state: State): ReturnType<typeof plainRun> {
    // Most states want something certain: that shows at once.
    for (const byte of [0x20, 0x30, 0x61, 0x7a])
      if (!this.#automaton.stepByte(state, byte)) return { atLeast: 0, exact: false };
    return plainRun(this.#automaton, state, MOST_COUNTED);
  }

  #walk(tree: TokenTree, start: State, mask: Uint32Array): void {
    const automaton = this.#automaton;
    const { classOf } = automaton;
    const { same } = this.#vocabulary;
    const { nodes, byte, depth, end, token } = tree;
    const path = this.#path;
    path[0] = start;
    for (let node = 0; node < nodes; ) {
      const at = depth[node];
      const from = path[at]!;
      const of = classOf[byte[node]];
      let next = from.next[of];
      if (next === undefined) next = automaton.step(from, of);
      if (next === null) {
        node = end[node];
        continue;
      }
      path[at + 1] = next;
      if (end[node] > node + LARGE && tree !== this.#vocabulary.other && this.#isFree(next)) {
        for (const last = end[node]; node < last; node++)
          for (let id = token[node]; id >= 0; id = same[id]) mask[id >> 5] |= 1 << (id & 31);
        continue;
      }
      for (let id = token[node]; id >= 0; id = same[id]) mask[id >> 5] |= 1 << (id & 31);
      node++;
    }
  }

  #isFree(state: State): boolean {
    let free = this.#free.get(state);
    if (free === undefined) this.#free.set(state, (free = isFree(this.#automaton, state)));
    return free;
  }

  #wanted(ids: ReadonlySet<number>, not: boolean, mask: Uint32Array): void {
    const { size, texts } = this.#vocabulary;
    if (!not) {
      for (const id of ids) if (id < size) mask[id >> 5] |= 1 << (id & 31);
      return;
    }
    for (let id = 0; id < size; id++)
      if (!ids.has(id) && !texts.endTokens.has(id)) mask[id >> 5] |= 1 << (id & 31);
  }
}

function bits(word: number): number {
  word -= (word >>> 1) & 0x55555555;
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function idsOf(mask: Uint32Array, count: number): Int32Array {
  const ids = new Int32Array(count);
  let at = 0;
  for (let i = 0; i < mask.length && at < count; i++)
    for (let word = mask[i]; word !== 0; word &= word - 1)
      ids[at++] = 32 * i + 31 - Math.clz32(word & -word);
  return ids;
}
