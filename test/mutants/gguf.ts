/** Faults that the tests of gguf must notice. */
import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    file: "src/gguf/cursor.ts",
    fault: "sizes between 2^53 and 2^54 taken as exact",
    from: "high < 0x200000 ?",
    to: "high < 0x400000 ?",
  },
  {
    file: "src/gguf/cursor.ts",
    fault: "offset of the buffer instead of the file",
    from: "    this.#start = this.offset;\n    this.#at = 0;",
    to: "    this.#start += this.#at + 0 * this.offset + 1;\n    this.#at = 0;",
  },
  {
    file: "src/gguf/read-part.ts",
    fault: "big-endian hint lost",
    from: "const bigEndian = version !== 0 && (version & 0xffff) === 0;",
    to: "const bigEndian = false;",
  },
  {
    file: "src/gguf/read-part.ts",
    fault: "hints for text in capitals lost",
    from: "found.toLowerCase() === start",
    to: "found === start",
  },
  {
    file: "src/gguf/read-part.ts",
    fault: "version 2 refused",
    from: "version === 2 || version === 3",
    to: "version === 3",
  },
];
