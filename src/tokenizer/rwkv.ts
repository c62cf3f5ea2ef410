/** RWKV's tokenizer: from the left, the longest token that matches. Tokens are bytes, escaped. */
import { toUtf8 } from "./utf8.ts";
import type { Vocabulary } from "./vocab/index.ts";
import { ByteTrie } from "./vocab/pairs.ts";

const BACKSLASH = 0x5c;
const escapes: ReadonlyMap<number, number> = new Map([
  [0x74, 9], // \t
  [0x6e, 10], // \n
  [0x72, 13], // \r
]);

const hexDigit = (character: number): number =>
  character >= 0x61 ? character - 0x61 + 10 : character - 0x30;

/** The bytes that a token of the file stands for: `\n`, `\x1f` and the like undone. */
export function unescapeToken(text: string): Uint8Array {
  const escaped = toUtf8(text);
  const bytes: number[] = [];
  for (let at = 0; at < escaped.length; at++) {
    if (escaped[at] !== BACKSLASH) {
      bytes.push(escaped[at]);
      continue;
    }
    const kind = escaped[++at];
    if (kind === 0x78 && at + 2 < escaped.length) {
      bytes.push(((hexDigit(escaped[at + 1]) << 4) + hexDigit(escaped[at + 2])) & 0xff);
      at += 2;
    } else if (kind !== undefined) {
      bytes.push(escapes.get(kind) ?? kind);
    }
  }
  return Uint8Array.from(bytes);
}

/** Encodes stretches of text without special tokens. */
export class RwkvEncoder {
  readonly #trie: ByteTrie = new ByteTrie();
  readonly #unknown: number | undefined;
  /** Bytes looked at so far. */
  steps = 0;

  constructor(vocabulary: Vocabulary) {
    this.#unknown = vocabulary.special.unk;
    vocabulary.tokens.forEach((text, id) => {
      this.#trie.add(unescapeToken(text), id);
    });
  }

  encode(text: Uint8Array, output: number[]): void {
    for (let start = 0; start < text.length; ) {
      let token = -1;
      let tokenEnd = start + 1;
      let node = 0;
      for (let at = start; at < text.length; at++) {
        this.steps++;
        node = this.#trie.step(node, text[at]);
        if (node < 0) break;
        if (this.#trie.value(node) >= 0) {
          token = this.#trie.value(node);
          tokenEnd = at + 1;
        }
      }
      const id = token >= 0 ? token : this.#unknown;
      if (id !== undefined) output.push(id);
      start = tokenEnd;
    }
  }
}
