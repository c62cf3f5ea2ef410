/** Holds a tokenizer against llama.cpp's answers, in the layout of its own test vocabularies. */
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

const separator = "\n__ggml_vocab_test__\n";

/** A text, or bytes in hexadecimal where it is not UTF-8. */
type Text = string | { hex: string };

/** One entry of `extra.json`. */
interface ExtraCase {
  text: Text;
  add_special: boolean;
  parse_special: boolean;
  ids: number[];
  detok: Text;
  detok_unparse_special: Text;
  detok_remove_special_unparse: Text;
}

export interface TokenizerReport {
  /** Comparisons made: a text's ids, or one way of turning ids back into text. */
  cases: number;
  failures: string[];
}

const bytesOf = (text: Text): Uint8Array =>
  typeof text === "string"
    ? new TextEncoder().encode(text)
    : Uint8Array.from(text.hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.prototype.every.call(a, (value, i) => value === b[i]);

const show = (values: ArrayLike<number>): string => `[${Array.from(values).join(" ")}]`;

/**
 * Compares ids and detokenised texts.
 *
 * @param inp texts of `NAME.gguf.inp`
 * @param out ids of `NAME.gguf.out`, a line a text
 * @param extra the vocabulary's entry in `extra.json`, if there is one
 */
export function checkTokenizerCases(
  tokenizer: Tokenizer,
  inp: string,
  out: string,
  extra: unknown,
): TokenizerReport {
  const report: TokenizerReport = { cases: 0, failures: [] };
  const compare = (what: string, got: ArrayLike<number>, want: ArrayLike<number>): void => {
    report.cases++;
    if (!same(got, want)) report.failures.push(`${what}: got ${show(got)}, wanted ${show(want)}`);
  };

  const lines = out.split("\n");
  inp.split(separator).forEach((text, i) => {
    // After the last separator there may be an empty text, which has an empty line.
    const want = (lines[i] ?? "").split(" ").filter(Boolean).map(Number);
    compare(`ids of ${JSON.stringify(text)}`, tokenizer.encode(text, { addSpecial: false }), want);
  });

  const { cases = [] } = (extra ?? {}) as { cases?: ExtraCase[] };
  for (const given of cases) {
    const options = { addSpecial: given.add_special, parseSpecial: given.parse_special };
    const about = `${JSON.stringify(given.text)} ${JSON.stringify(options)}`;
    compare(`ids of ${about}`, tokenizer.encode(bytesOf(given.text), options), given.ids);
    const back = (removeSpecial: boolean, unparseSpecial: boolean): Uint8Array =>
      tokenizer.decodeBytes(given.ids, { removeSpecial, unparseSpecial });
    compare(`text of ${about}`, back(false, false), bytesOf(given.detok));
    compare(
      `text with special tokens of ${about}`,
      back(false, true),
      bytesOf(given.detok_unparse_special),
    );
    compare(
      `text without ends of ${about}`,
      back(true, true),
      bytesOf(given.detok_remove_special_unparse),
    );
  }
  return report;
}
