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
    from: "if (at + 1 - start === character) covered = true;",
    to: "covered = true;",
  },
  {
    file: "src/tokenizer/unigram.ts",
    fault: "each of several unknown characters is a token",
    from: "!(isUnknown && afterUnknown)",
    to: "!(isUnknown && afterUnknown && end < 0)",
  },
  {
    file: "src/tokenizer/unigram.ts",
    fault: "the lower sum wins",
    from: "if (sum > best[at + 1]) {",
    to: "if (sum < best[at + 1] || best[at + 1] === -Number.MAX_VALUE) {",
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
