/** Values in a row: where one ends and the next begins. */
import { describe, expect, it } from "vitest";
import { splitValues } from "../../src/chat/formats/parse.ts";

/** Objects and lists whose texts hold everything that could be mistaken for a border. */
const values: readonly unknown[] = [
  { a: 'a "quoted} word' },
  ["\\", '\\"', "]", "}{", "[,;"],
  { "}": { "{": ['"', "\\\\"] } },
  [],
  {},
  [[[{ deep: [] }]]],
];

describe("splitValues", () => {
  it.each(["", " ", "\n", ",", " ;\n"])("cuts JSON values with %j between them", (between) => {
    for (const first of values)
      for (const second of values) {
        const texts = [first, second].map((value) => JSON.stringify(value));
        expect(splitValues(texts.join(between))).toEqual(texts);
      }
  });
  it.each([
    ["an end too many", "{}}"],
    ["an end before its beginning", "}{"],
    ["an end too few", "{} [1"],
    ["text between", "{} and {}"],
    ["a string that has no end", '{"a": "}'],
  ])("is undefined for %s", (_, text) => {
    expect(splitValues(text)).toBeUndefined();
  });
});
