/** Text ↔ token ids, as llama.cpp does it. */
import { checkOptions, flag, ids as idsRule, type Rules, refuse, rule } from "../base/options.ts";
import { atOnce } from "../base/steps.ts";
import { Metadata } from "../file/metadata.ts";
import { BytePairEncoder } from "./bpe.ts";
import { cleanSpaces, pieceOf } from "./detokenize.ts";
import { leastShares } from "./least.ts";
import { PlamoEncoder } from "./plamo.ts";
import { RwkvEncoder } from "./rwkv.ts";
import { SentencePieceEncoder } from "./spm.ts";
import { UnigramEncoder } from "./unigram.ts";
import { fromUtf8, toUtf8 } from "./utf8.ts";
import { attribute } from "./vocab/attributes.ts";
import { readVocabulary, type Vocabulary } from "./vocab/index.ts";
import { SpecialSplitter } from "./vocab/split.ts";
import { WordPieceEncoder } from "./wordpiece.ts";

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

const encodeRules: Rules<EncodeOptions> = { addSpecial: flag, parseSpecial: flag };
const decodeRules: Rules<DecodeOptions> = { removeSpecial: flag, unparseSpecial: flag };
const bytesOrText = rule<string | Uint8Array>(
  "a text or its bytes",
  (value) => typeof value === "string" || value instanceof Uint8Array,
);

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

/** Turns text without special tokens into ids. */
interface Encoder {
  /** Basic operations done so far; tests look at how they grow. */
  readonly steps: number;
  /** @param spaceBefore the text begins, or follows a special token (SentencePiece only) */
  encode(text: Uint8Array, output: number[], spaceBefore: boolean): void;
  /** Whether a text can be cut before `next` where the byte `last` is before it, with the same ids. */
  cuts?(last: number, next: number): boolean;
  /** `encode` about `slice` bytes at a time; true as soon as `output` surely has more than `most` ids. */
  encodeSteps?(
    text: Uint8Array,
    output: number[],
    most: number,
    slice: number,
  ): Generator<void, boolean>;
}

/** Bytes that are encoded at once where the text can be cut. */
const SLICE = 16 << 10;
/** Texts of more bytes a token than this are looked at before they are encoded. */
const MANY_BYTES = 8;
/** UTF-16 units of a text in pieces that are looked at together. */
const LOOKED_AT = 1 << 14;

function encoderOf(metadata: Metadata, vocabulary: Vocabulary): Encoder {
  switch (vocabulary.family) {
    case "spm":
      return new SentencePieceEncoder(vocabulary);
    case "bpe":
      return new BytePairEncoder(metadata, vocabulary);
    case "wordpiece":
      return new WordPieceEncoder(vocabulary);
    case "unigram":
      return new UnigramEncoder(metadata, vocabulary);
    case "rwkv":
      return new RwkvEncoder(vocabulary);
    case "plamo":
      return new PlamoEncoder(vocabulary);
  }
}

class VocabularyTokenizer implements Tokenizer {
  readonly #vocabulary: Vocabulary;
  readonly #encoder: Encoder;
  readonly #pieces: Uint8Array[] = [];
  #shares: Float64Array | undefined | null = null;
  #splitter: SpecialSplitter | undefined;
  #splitterOfControls: SpecialSplitter | undefined;

  constructor(metadata: Metadata) {
    this.#vocabulary = readVocabulary(metadata);
    this.#encoder = encoderOf(metadata, this.#vocabulary);
  }

  get kind(): string {
    return this.#vocabulary.kind;
  }
  get size(): number {
    return this.#vocabulary.tokens.length;
  }
  get bos(): number | undefined {
    return this.#vocabulary.special.bos;
  }
  get eos(): number | undefined {
    return this.#vocabulary.special.eos;
  }
  get endTokens(): ReadonlySet<number> {
    return this.#vocabulary.endTokens;
  }
  get addBos(): boolean {
    return this.#vocabulary.addBos;
  }
  get addEos(): boolean {
    return this.#vocabulary.addEos;
  }
  get steps(): number {
    return this.#encoder.steps;
  }

  encode(text: string | Uint8Array, options: EncodeOptions = {}): Int32Array {
    checkOptions(options, encodeRules);
    bytesOrText(text, "the text");
    return Int32Array.from(atOnce(this.encodeSteps(text, options, Number.POSITIVE_INFINITY)) ?? []);
  }

  /** See {@link encodeSteps}. */
  *encodeSteps(
    text: string | Uint8Array,
    options: EncodeOptions,
    most: number,
    slice: number = SLICE,
  ): Generator<void, number[] | undefined> {
    const { addSpecial = true, parseSpecial = false } = options;
    const { family, special, addSpacePrefix } = this.#vocabulary;
    const bytes = typeof text === "string" ? toUtf8(text) : text;
    const output: number[] = [];
    if (this.exceeds(bytes, most)) return undefined;
    const ends = addSpecial && family !== "rwkv" && family !== "plamo";
    if (ends && this.addBos) output.push(special.bos!);
    let spaceBefore = addSpacePrefix;
    for (const fragment of this.#split(bytes, parseSpecial)) {
      if ("token" in fragment) {
        output.push(fragment.token);
        spaceBefore = addSpacePrefix;
      } else if (this.#encoder.encodeSteps) {
        const stretch = bytes.subarray(fragment.start, fragment.end);
        if (yield* this.#encoder.encodeSteps(stretch, output, most, slice)) return undefined;
      } else {
        for (let at = fragment.start; at < fragment.end; ) {
          const end = this.#sliceEnd(bytes, at + slice, fragment.end);
          this.#encoder.encode(bytes.subarray(at, end), output, spaceBefore);
          spaceBefore = false;
          at = end;
          if (output.length > most) return undefined;
          yield;
        }
      }
    }
    if (ends && family === "wordpiece" && special.sep !== undefined) output.push(special.sep);
    else if (ends && family !== "wordpiece" && this.addEos) output.push(special.eos!);
    return output.length > most ? undefined : output;
  }

  /** The first place from `at` on where the text can be cut, or `end`. */
  #sliceEnd(bytes: Uint8Array, at: number, end: number): number {
    const encoder = this.#encoder;
    if (encoder.cuts)
      for (let i = at; i < end; i++) if (encoder.cuts(bytes[i - 1], bytes[i])) return i;
    return end;
  }

  /** Whether a text surely has more than `most` tokens; false may be a yes. */
  exceeds(bytes: Uint8Array, most: number): boolean {
    return bytes.length > MANY_BYTES * most && this.#least(bytes, -1, most) > most;
  }

  /** See {@link exceeding}. */
  exceeding(most: number): (piece: string) => boolean {
    let [waiting, length, least] = ["", 0, -1];
    return (piece) => {
      waiting += piece;
      length += piece.length;
      if (length <= MANY_BYTES * most || waiting.length < LOOKED_AT) return false;
      // A pair of surrogates is one character.
      if ((waiting.charCodeAt(waiting.length - 1) & 0xfc00) === 0xd800) return false;
      least = this.#least(toUtf8(waiting), least, most);
      waiting = "";
      return least > most;
    };
  }

  /** `from` and the tokens that the bytes have at least, or more than `most`. Sums are rounded: begin with -1. */
  #least(bytes: Uint8Array, from: number, most: number): number {
    if (this.#shares === null) this.#shares = leastShares(this.#vocabulary);
    const shares = this.#shares;
    let least = from;
    if (shares) for (let i = 0; i < bytes.length && least <= most; i++) least += shares[bytes[i]];
    return least;
  }

  #split(bytes: Uint8Array, controls: boolean): ReturnType<SpecialSplitter["split"]> {
    if (controls) {
      this.#splitterOfControls ??= new SpecialSplitter(this.#vocabulary, true);
      return this.#splitterOfControls.split(bytes);
    }
    this.#splitter ??= new SpecialSplitter(this.#vocabulary, false);
    return this.#splitter.split(bytes);
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    return fromUtf8(this.decodeBytes(ids, options));
  }

  decodeBytes(ids: ArrayLike<number>, options: DecodeOptions = {}): Uint8Array {
    checkOptions(options, decodeRules);
    idsRule(ids, "ids");
    const { removeSpecial = false, unparseSpecial = false } = options;
    const vocabulary = this.#vocabulary;
    let first = 0;
    let last = ids.length;
    let dropSpace = vocabulary.addSpacePrefix;
    if (removeSpecial && this.addBos && last > 0 && ids[0] === this.bos) {
      dropSpace = false;
      first++;
    }
    if (removeSpecial && this.addEos && last > first && ids[last - 1] === this.eos) last--;

    const pieces: Uint8Array[] = [];
    let length = 0;
    for (let i = first; i < last; i++) {
      let piece = this.bytes(ids[i], unparseSpecial);
      if (dropSpace && piece[0] === 32) piece = piece.subarray(1);
      dropSpace = false;
      pieces.push(piece);
      length += piece.length;
    }
    const all = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return vocabulary.cleanSpaces ? cleanSpaces(all) : all;
  }

  bytes(id: number, unparseSpecial = false): Uint8Array {
    this.#check(id);
    if (!unparseSpecial && this.isSpecial(id)) return new Uint8Array(0);
    this.#pieces[id] ??= pieceOf(this.#vocabulary, id);
    return this.#pieces[id];
  }

  token(id: number): string {
    this.#check(id);
    return this.#vocabulary.tokens[id];
  }

  isSpecial(id: number): boolean {
    const hidden = attribute.control | attribute.unknown;
    return (this.#vocabulary.attributes[id] & hidden) !== 0;
  }

  #check(id: number): void {
    if (Number.isInteger(id) && id >= 0 && id < this.size) return;
    refuse("the token", `an id from 0 to ${this.size - 1}`, id);
  }
}

/**
 * The tokenizer of a GGUF file.
 *
 * @throws {@link WebggufError} `model/no-tokenizer` if the file has none that is known,
 *   `model/unsupported` for an unknown pre-tokenizer, `model/invalid` if its tables contradict.
 */
export function createTokenizer(metadata: Metadata): Tokenizer {
  rule("the metadata of a file", (value) => value instanceof Metadata)(metadata, "metadata");
  return new VocabularyTokenizer(metadata);
}

/**
 * Encodes a text a stretch at a time. Returns undefined as soon as there are more than `most` tokens,
 * before anything is encoded where the text is much too long. `slice`: bytes of a stretch (tests).
 */
export function* encodeSteps(
  tokenizer: Tokenizer,
  text: string | Uint8Array,
  options: EncodeOptions,
  most: number,
  slice?: number,
): Generator<void, readonly number[] | undefined> {
  if (tokenizer instanceof VocabularyTokenizer)
    return yield* tokenizer.encodeSteps(text, options, most, slice);
  const ids = Array.from(tokenizer.encode(text, options));
  return ids.length > most ? undefined : ids;
}

/**
 * Looks at a text that comes in pieces: true as soon as it surely has more than `most` tokens; false
 * may be a yes. Undefined for tokenizers that are not known.
 */
export function exceeding(
  tokenizer: Tokenizer,
  most: number,
): ((piece: string) => boolean) | undefined {
  return tokenizer instanceof VocabularyTokenizer ? tokenizer.exceeding(most) : undefined;
}

/** Basic operations that a tokenizer has done so far, to test how its work grows with the text. */
export function tokenizerSteps(tokenizer: Tokenizer): number {
  return tokenizer instanceof VocabularyTokenizer ? tokenizer.steps : 0;
}
