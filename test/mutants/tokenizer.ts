/** Faults that the tests of tokenizer must notice. */
import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    file: "src/tokenizer/spm.ts",
    fault: "texts are cut inside of tokens",
    from: "last < 0x80 && !this.#joined.has(last)",
    to: "last < 0x80",
  },
  {
    file: "src/tokenizer/least.ts",
    fault: "a space in a text counts as long as it is in a token",
    from: "3 * longest[SPACE]",
    to: "longest[SPACE]",
  },
  {
    file: "src/tokenizer/unigram.ts",
    fault: "unknown character not considered where a longer token begins with it",
    from: "if (at + 1 === next) covered = true;",
    to: "covered = true;",
  },
  {
    file: "src/tokenizer/unigram.ts",
    fault: "each of several unknown characters is a token",
    from: "!(token === unknown && afterUnknown)",
    to: "!(token === unknown && afterUnknown && cut < 0)",
  },
  {
    file: "src/tokenizer/unigram.ts",
    fault: "the lower sum wins",
    from: "if (sum > this.best[end]) {",
    to: "if (sum < this.best[end] || this.best[end] === -Number.MAX_VALUE) {",
  },
  {
    file: "src/tokenizer/unigram.ts",
    fault: "a text is cut inside of tokens",
    from: "if (start === reach) cut = start;",
    to: "cut = start;",
  },
  {
    file: "src/tokenizer/unigram.ts",
    fault: "unknown characters of two slices are two tokens",
    from: "        afterUnknown = token === unknown;\n      }\n",
    to: "        afterUnknown = token === unknown;\n      }\n      afterUnknown = false;\n",
  },
  {
    file: "src/tokenizer/unigram.ts",
    fault: "each unknown character counts as a token in the least there are",
    from: "this.#unknownScore, 0)",
    to: "this.#unknownScore, 1)",
  },
  {
    file: "src/tokenizer/tokenizer.ts",
    fault: "a text in pieces is not looked at",
    from: '      waiting = "";\n      return least > most;',
    to: '      waiting = "";\n      return false;',
  },
  {
    file: "src/tokenizer/wordpiece.ts",
    fault: "the beginning of an unknown word stays",
    from: "output.length = before;",
    to: "",
  },
  {
    file: "src/tokenizer/wordpiece.ts",
    fault: "shortest match instead of the longest",
    from: "          tokenEnd = at + 1;\n",
    to: "          tokenEnd = at + 1;\n          break;\n",
  },
  {
    file: "src/tokenizer/spm.ts",
    fault: "bytes of an unknown character in the wrong place",
    from: "text.subarray(offsets[starts[i]], offsets[starts[i] + 1])",
    to: "text.subarray(offsets[i], offsets[i + 1])",
  },
];
