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
    file: "src/gguf/other-files.ts",
    fault: "hints for text in capitals lost",
    from: '"").toLowerCase();',
    to: '"");',
  },
  {
    file: "src/gguf/other-files.ts",
    fault: "the byte order mark of a web page is taken for its beginning",
    from: "(\\xef\\xbb\\xbf)?",
    to: "",
  },
  {
    file: "src/gguf/parts.ts",
    fault: "a count of 0 makes a file no file",
    from: "Math.max(1, part.metadata.integer(splitKeys.count, 1))",
    to: "part.metadata.integer(splitKeys.count, 1)",
  },
  {
    file: "src/gguf/parts.ts",
    fault: "parts of another model are taken",
    from: "own !== undefined && other !== undefined && own !== other",
    to: "own === other && own !== own",
  },
  {
    file: "src/gguf/parts.ts",
    tests: ["test/session/split"],
    fault: "parts are taken whatever model their names are of",
    from: "stem !== undefined && its !== undefined && stem !== its",
    to: "stem === its && stem !== its",
  },
  {
    file: "src/gguf/parts.ts",
    tests: ["test/session/split"],
    fault: "missing parts are missed",
    from: "if (missing.length === 0) return;",
    to: "if (missing.length >= 0) return;",
  },
  {
    file: "src/gguf/parts.ts",
    fault: "tensors are counted at the end only",
    from: "if (this.#tensors > most) this.#wrongTensors(most);",
    to: "",
  },
  {
    file: "src/gguf/read.ts",
    fault: "any number under any name of a part",
    from: "if (numberOf(part) !== no)",
    to: "if (numberOf(part) < 0)",
  },
  {
    file: "src/gguf/cursor.ts",
    fault: "an announced length is read at once",
    from: "Math.min(this.#piece, this.source.size - end)",
    to: "Math.min(Math.max(length, this.#piece), this.source.size - end)",
  },
  {
    file: "src/gguf/cursor.ts",
    fault: "a header without end",
    from: "if (this.offset + length > longestHeader)",
    to: "if (length < 0)",
  },
  {
    file: "src/gguf/read-metadata.ts",
    fault: "keys without number",
    from: "1 << 16",
    to: "1 << 30",
  },
  {
    file: "src/gguf/read-part.ts",
    fault: "version 2 refused",
    from: "version === 2 || version === 3",
    to: "version === 3",
  },
  {
    file: "src/gguf/cursor.ts",
    tests: ["test/gguf/header-cost"],
    fault: "what is buffered is copied for every value",
    from: "if (this.buffered >= length) return;",
    to: "if (this.buffered >= length) return void (this.#bytes = this.#bytes.slice());",
  },
];
