/** The tokens of a model as bytes, in a tree that is walked along with a grammar's states. */
import { plainCharacters } from "./plain.ts";

/** What a grammar asks of a tokenizer. */
export interface TokenTexts {
  readonly size: number;
  readonly endTokens: ReadonlySet<number>;
  /** The bytes of a token within a text; none of one that is not shown. */
  bytes(id: number): Uint8Array;
}

/** Tokens sorted by their bytes as a tree, its nodes in the order of a walk in depth. */
export interface TokenTree {
  readonly nodes: number;
  /** The last byte of a node. */
  readonly byte: Uint8Array;
  /** How many bytes stand before it. */
  readonly depth: Uint16Array;
  /** The first node that is not below it. */
  readonly end: Int32Array;
  /** The token whose bytes lead here, or -1; of equal ones the lowest. */
  readonly token: Int32Array;
  readonly deepest: number;
}

export interface GrammarVocabulary {
  readonly size: number;
  /** The words of a mask. */
  readonly words: number;
  readonly texts: TokenTexts;
  readonly endTokens: readonly number[];
  /** Tokens of up to {@link MOST_COUNTED} whole characters that stand in any JSON string as they are. */
  readonly plain: TokenTree;
  /** Those of more such characters. */
  readonly long: TokenTree;
  /** All others. */
  readonly other: TokenTree;
  /** By n: the mask of the plain tokens of at most n characters; the last holds all of them. */
  readonly plainUpTo: readonly Uint32Array[];
  /** By token: the next one of the same bytes, or -1. */
  readonly same: Int32Array;
  /** The bytes of no single token; a text that needs one of them cannot be written. */
  readonly missing: readonly number[];
}

/** Plain tokens are told apart by their number of characters up to this. */
export const MOST_COUNTED = 16;

/** Longer tokens never come under a grammar; real ones have a few dozen bytes. */
const LONGEST = 512;

/** Sorts the tokens into trees; takes 0.2 s and 20 bytes a token at 150,000 tokens. */
export function grammarVocabulary(texts: TokenTexts): GrammarVocabulary {
  const { size } = texts;
  const words = Math.ceil(size / 32);
  const endTokens = [...texts.endTokens].filter((id) => id < size);
  const same = new Int32Array(size).fill(-1);
  const plain = new TreeBuilder(same);
  const long = new TreeBuilder(same);
  const other = new TreeBuilder(same);
  const upTo = Array.from({ length: MOST_COUNTED + 2 }, () => new Uint32Array(words));
  const single = new Set<number>();
  for (let id = size; id-- > 0; ) {
    if (texts.endTokens.has(id)) continue;
    const bytes = texts.bytes(id);
    if (bytes.length === 0 || bytes.length > LONGEST) continue;
    if (bytes.length === 1) single.add(bytes[0]);
    const characters = Math.min(plainCharacters(bytes), MOST_COUNTED + 1);
    if (characters > 0) upTo[characters][id >> 5] |= 1 << (id & 31);
    (characters === 0 ? other : characters > MOST_COUNTED ? long : plain).add(bytes, id);
  }
  for (let n = 1; n < upTo.length; n++)
    for (let i = 0; i < words; i++) upTo[n][i] |= upTo[n - 1][i];
  const trees = { plain: plain.tree(), long: long.tree(), other: other.tree() };
  const missing = Array.from({ length: 256 }, (_, byte) => byte).filter(
    (byte) => !single.has(byte),
  );
  return { size, words, texts, endTokens, same, missing, ...trees, plainUpTo: upTo };
}

/** Tokens as nodes that know their first child and next sibling. */
class TreeBuilder {
  #child = new Int32Array(1 << 12);
  #sibling = new Int32Array(1 << 12);
  #byte = new Uint8Array(1 << 12);
  #token = new Int32Array(1 << 12);
  /** Node 0 is the root. */
  #nodes = 1;
  #deepest = 0;
  readonly #same: Int32Array;
  /** By the first two bytes, where most siblings are. */
  readonly #second = new Int32Array(1 << 16);
  readonly #first = new Int32Array(256);

  constructor(same: Int32Array) {
    this.#same = same;
    this.#token[0] = -1;
  }

  add(bytes: Uint8Array, id: number): void {
    if (this.#nodes + bytes.length > this.#byte.length) this.#grow();
    const [child, sibling, byteOf] = [this.#child, this.#sibling, this.#byte];
    let node = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      const pair = i === 1 ? 256 * bytes[0] + byte : 0;
      let next = i === 0 ? this.#first[byte] : i === 1 ? this.#second[pair] : child[node];
      if (i > 1) while (next !== 0 && byteOf[next] !== byte) next = sibling[next];
      if (next === 0) {
        next = this.#nodes++;
        byteOf[next] = byte;
        this.#token[next] = -1;
        sibling[next] = child[node];
        child[node] = next;
        if (i === 0) this.#first[byte] = next;
        else if (i === 1) this.#second[pair] = next;
      }
      node = next;
    }
    this.#same[id] = this.#token[node];
    this.#token[node] = id;
    this.#deepest = Math.max(this.#deepest, bytes.length);
  }

  #grow(): void {
    const length = 2 * this.#byte.length;
    const more = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(length);
      to.set(from);
      return to;
    };
    this.#child = more(this.#child);
    this.#sibling = more(this.#sibling);
    this.#token = more(this.#token);
    const bytes = new Uint8Array(length);
    bytes.set(this.#byte);
    this.#byte = bytes;
  }

  /** The nodes but for the root, in the order of a walk in depth. */
  tree(): TokenTree {
    const nodes = this.#nodes - 1;
    const byte = new Uint8Array(nodes);
    const depth = new Uint16Array(nodes);
    const end = new Int32Array(nodes);
    const token = new Int32Array(nodes);
    const path = new Int32Array(this.#deepest + 1);
    let at = 0;
    let length = 0;
    for (let node = this.#child[0]; node !== 0; ) {
      byte[at] = this.#byte[node];
      depth[at] = length;
      token[at] = this.#token[node];
      path[length++] = node;
      at++;
      node = this.#child[node];
      while (node === 0 && length > 0) node = this.#sibling[path[--length]];
    }
    const open = new Int32Array(this.#deepest + 1);
    let levels = 0;
    for (let i = 0; i < nodes; i++) {
      while (levels > depth[i]) end[open[--levels]] = i;
      open[levels++] = i;
    }
    while (levels > 0) end[open[--levels]] = nodes;
    return { nodes, byte, depth, end, token, deepest: this.#deepest };
  }
}
