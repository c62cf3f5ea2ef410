import type { Mutant } from "./mutant.ts";

const folder = "src/grammar/json-schema/";
const tests = ["test/grammar/json-schema/cases", "test/grammar/json-schema/random.node"];
const at = (file: string) => ({ file: `${folder}${file}.ts`, tests });

export const mutants: readonly Mutant[] = [
  {
    ...at("objects"),
    fault: "a required property without a schema of its own may be anything",
    from: "otherGoal(use, unnamed, name);",
    to: "ANYTHING;",
  },
  {
    ...at("objects"),
    fault: "additional properties are asked of those that match a pattern too",
    from: "const keys = rest.length > 0 ? use.otherStrings(use.r.or(...rest)) : undefined;",
    to: "const keys = undefined;",
  },
  {
    ...at("expand"),
    fault: "oneOf is anyOf",
    from: "if (i !== j && !this.isEmpty(both(goal, other)))",
    to: "if (i === j)",
  },
  {
    ...at("merge"),
    fault: "a property that both schemas name only meets the first",
    from: "const goal = both(one.goal, other ? other.goal : otherGoal(use, b, name));",
    to: "const goal = one.goal;",
  },
  {
    ...at("numbers"),
    fault: "an exclusive bound includes its number",
    from: "text.slice(1), exclusive), this.#above",
    to: "text.slice(1), false), this.#above",
  },
  {
    ...at("lower-arrays"),
    fault: "items beside those that are looked for may be any number of them",
    from: "} else if (limited) goal = both(goal, expander.fails(one.goal));",
    to: "}",
  },
  {
    ...at("lower-objects"),
    fault: "the least number of properties is not counted",
    from: "this.#min = shape.min > this.#required[0] ? shape.min : 0;",
    to: "this.#min = 0;",
  },
  {
    ...at("pattern"),
    fault: "the end of a text is where a pattern ends",
    from: "return after.nullable ? r.empty : r.never;",
    to: "return after;",
  },
  {
    ...at("strings"),
    fault: "the length counts bytes of escapes",
    from: "return this.#r.repeat(this.#freely, min, max);",
    to: "return this.#r.repeat(this.#r.bytes([[0x20, 0x21], [0x23, 0xff]]), min, max);",
  },
  {
    file: "src/grammar/tools/pairs.ts",
    tests: ["test/grammar/tools/calls.node"],
    fault: "a text that would be read as JSON is written as a text",
    from: "if (!sure) wrong = [...wrong, looksLikeJson(builder)];",
    to: "",
  },
  {
    file: "src/grammar/tools/answer.ts",
    tests: ["test/grammar/tools/answer"],
    fault: "any function may be called where one is named",
    from: "const offered = tools.filter(",
    to: "const offered = tools.slice() || tools.filter(",
  },
  {
    ...at("unevaluated"),
    fault: "what stands below not counts as evaluated",
    from: "seen: NOTHING_SEEN }))",
    to: "}))",
  },
];
