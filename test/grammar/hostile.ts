/** Grammars and expressions that nobody means well with, from a seed: the same everywhere. */

type Random = () => number;

const below = (random: Random, count: number): number => Math.floor(random() * count);
const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)];
const many = (random: Random, most: number): number => 2 + below(random, most - 1);

const GBNF_WORDS = [
  ...["root", "a", "b-1", "::=", " ", "\n", "|", "(", ")", "*", "+", "?", "#", ".", "\\"],
  ...["{2}", "{3,}", "{0,4}", "{,}", "{9,2}", "{999999999}", "{0,1000000}", "{2000}", "{1,"],
  ...['"x"', '""', '"', '"\\n"', '"\\u00e9"', '"\\xZZ"', '"\\U0010FFFF"', '"\ud800"', "\0"],
  ...["[a-z]", "[^\\]]", "[", "]", "[]", "[z-a]", "[^\\x00-\\x7f]", "[\\u0000-\\U0010ffff]"],
  ...["<x>", "!<x>", "<[0]>", "!<[1]>", "<[99999999999]>", "<", "<[", "東", "\u2028"],
];

const REGEX_WORDS = [
  ...["a", "b", ".", "\\d", "\\w", "\\s", "\\S", "\\b", "^", "$", "|", "(", ")", "(?:", "(?="],
  ...["(?!", "(?<=", "(?<n>", "\\1", "\\k<n>", "[", "]", "[^", "[a-z]", "[z-a]", "[]", "\\", "-"],
  ...["*", "+", "?", "*?", "{2}", "{3,}", "{0,4}", "{,4}", "{9,2}", "{999999999}", "{0,9999}", "{"],
  ...["\\u{10ffff}", "\\u{110000}", "\\ud800", "\\x0", "\\p{L}", "\\p{Nope}", "\\cA", "東", "\0"],
];

const soup = (random: Random, words: readonly string[], most: number): string =>
  Array.from({ length: many(random, most) }, () => pick(random, words)).join("");

/** A text with a few of its parts dropped, doubled or overwritten. */
function spoilt(random: Random, text: string, words: readonly string[]): string {
  let out = text;
  for (let i = 1 + below(random, 3); i > 0; i--) {
    const [from, length] = [below(random, out.length + 1), below(random, 6)];
    const by = pick(random, [
      "",
      pick(random, words),
      out.slice(from, from + length) + out.slice(from, from + length),
    ]);
    out = out.slice(0, from) + by + out.slice(from + length);
  }
  return out;
}

const nested = (n: number, open: string, core: string, close: string): string =>
  open.repeat(n) + core + close.repeat(n);

/** By kind: each is written anew with other sizes. */
const GBNF: readonly ((random: Random) => string)[] = [
  (r) => `root ::= ${nested(many(r, 8000), "(", '"a"', ")")}`,
  (r) => `root ::= ${nested(many(r, 1000), "(", '"a"', ")*")}`,
  (r) => `root ::= ${nested(many(r, 8), "(", '"a"?', `){0,${many(r, 1000)}}`)}`,
  (r) => `root ::= ${nested(many(r, 8), "(", '[a-z] | "b"', `){${many(r, 1000)}}`)}`,
  (r) => `root ::= ${'"a"? '.repeat(many(r, 1000))}${'"a" '.repeat(many(r, 1000))}`,
  (r) => `root ::= ${'("a" | "a" "a") '.repeat(many(r, 800))}`,
  (r) => `root ::= "${"x".repeat(many(r, 8000))}"`,
  (r) => `root ::= ${Array.from({ length: many(r, 1200) }, (_, i) => `"w${i}"`).join(" | ")}`,
  (r) =>
    `root ::= [${Array.from({ length: many(r, 2000) }, (_, i) => `\\u${(0x3000 + 2 * i).toString(16)}`).join("")}]{0,9}`,
  (r) => {
    const n = many(r, 1000);
    const rules = Array.from({ length: n }, (_, i) => `r${i} ::= r${i + 1} | "x" r${i + 1}`);
    return `root ::= r0\n${rules.join("\n")}\nr${n} ::= "y"`;
  },
  (r) => {
    const n = many(r, 60);
    const rules = Array.from({ length: n }, (_, i) => `r${i} ::= r${i + 1} r${i + 1}`);
    return `root ::= r0\n${rules.join("\n")}\nr${n} ::= "y"?`;
  },
  () => 'root ::= "a" root root | "a" root | "a"',
  () => 'root ::= e\ne ::= "(" e ")" e | "x" e | ""',
  () => "root ::= root",
  () => 'root ::= a "x"\na ::= b?\nb ::= a',
  (r) => `root ::= ${"(".repeat(many(r, 9000))}`,
  (r) => `${"#".repeat(many(r, 9000))}\nroot ::= "a"`,
  (r) => `root ::= a\n${"a ::= root\n".repeat(many(r, 2000))}`,
];

const REGEX: readonly ((random: Random) => string)[] = [
  (r) => nested(many(r, 8000), "(", "a", ")"),
  (r) => nested(many(r, 2000), "(?:", "a", ")*"),
  (r) => nested(many(r, 6), "(", "a?", `){${many(r, 1200)}}`),
  (r) => `(a+)+${"b".repeat(many(r, 50))}`,
  (r) => `(a|a)*(a|aa){${many(r, 500)}}b`,
  (r) => `.*a.{${many(r, 40)}}`,
  (r) => `(.*a){${many(r, 60)}}.*`,
  (r) => "(?=.*a)(?=.*b)(?=.*c)(?!.*dd)".repeat(many(r, 6)),
  (r) => `${"(?!".repeat(many(r, 60))}a${")".repeat(60)}`,
  (r) => `${"a?".repeat(many(r, 2000))}${"a".repeat(many(r, 2000))}`,
  (r) =>
    `[${Array.from({ length: many(r, 1000) }, (_, i) => `\\u${(0x3000 + 2 * i).toString(16)}`).join("")}]+`,
  (r) => Array.from({ length: many(r, 1000) }, (_, i) => `w${i}x*`).join("|"),
  (r) => `(${"\\w+\\s?".repeat(many(r, 40))})+@`,
  (r) => "(".repeat(many(r, 9000)),
  (r) => `a{${"9".repeat(many(r, 300))}}`,
  () => "(?:(?:[^/]*/)*x{1,300}){1,300}",
  (r) => "\\p{L}[^\\p{L}]".repeat(many(r, 10)),
];

const GOOD_GBNF = [
  'root ::= "{" ws pair ("," ws pair)* "}"\npair ::= "\\"" [a-z]+ "\\":" ws num\nnum ::= "-"? [0-9]{1,9}\nws ::= [ \\n]{0,3}',
  'root ::= (item "\\n")+ # a list\nitem ::= "- " [^\\n]* | "* " ([a-zA-Z] | "東")+',
];
const GOOD_REGEX = [
  "^\\d{4}-(0[1-9]|1[0-2])-[0-3]\\d(T[\\d:.]+Z?)?$",
  '(?:[a-z0-9!#$%&\'*+/=?^_`{|}~-]+(?:\\.[a-z]+)*|"(?:[^"\\\\]|\\\\.)*")@[\\w.-]+',
  "(?!foo)[a-z]+(?=bar).{0,20}\\u{1F600}?",
];

type Hostile = (random: Random, nth: number) => string;

const hostile =
  (
    kinds: readonly ((random: Random) => string)[],
    good: readonly string[],
    words: readonly string[],
    start: string,
  ): Hostile =>
  (random, nth) =>
    nth % 10 === 0
      ? kinds[Math.floor(nth / 10) % kinds.length](random)
      : nth % 2 === 0
        ? spoilt(random, pick(random, good), words)
        : start + soup(random, words, 24);

/** The nth hostile grammar, or expression. */
export const hostileGbnf: Hostile = hostile(GBNF, GOOD_GBNF, GBNF_WORDS, "root ::= ");
export const hostileRegex: Hostile = hostile(REGEX, GOOD_REGEX, REGEX_WORDS, "");
