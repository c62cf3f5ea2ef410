/** Text ↔ token ids, as llama.cpp does it. */

export interface EncodeOptions {
  /** Add BOS/EOS (and CLS/SEP) as the file's metadata says. @default true */
  addSpecial?: boolean;
  /** Read special tokens written in the text as such. @default false */
  parseSpecial?: boolean;
}

export interface DecodeOptions {
  /** Leave out BOS/EOS at the ends, as `llama_detokenize(remove_special)`. @default false */
  removeSpecial?: boolean;
  /** Print special tokens as their text. @default false */
  unparseSpecial?: boolean;
}

export interface Tokenizer {
  /** `llama` (SentencePiece), `gpt2` (byte-level BPE), `bert` (WordPiece), `t5` (Unigram) … */
  readonly kind: string;
  /** Number of tokens. */
  readonly size: number;
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  /** Every token that ends generation (EOS, EOT, EOM …). */
  readonly endTokens: ReadonlySet<number>;
  readonly addBos: boolean;
  readonly addEos: boolean;
  encode(text: string | Uint8Array, options?: EncodeOptions): Int32Array;
  /** The whole text; bytes that are not UTF-8 become U+FFFD. */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  /** The bytes of one token as it stands inside a text (streaming). */
  bytes(id: number, unparseSpecial?: boolean): Uint8Array;
  /** The same as decode, as bytes. */
  decodeBytes(ids: ArrayLike<number>, options?: DecodeOptions): Uint8Array;
  /** Token text as the vocabulary has it. */
  token(id: number): string;
  isSpecial(id: number): boolean;
}
