/** First token of a breaker → what must follow it for the breaker to be complete ([] = nothing). */
export type Breakers = ReadonlyMap<number, readonly ArrayLike<number>[]>;

/** A breaker is cut to this many characters, the tokens after its first to this many. */
const maxCharacters = 40;
const maxTail = 20;

/** Breakers that are given as token sequences. */
export function breakersOf(sequences: readonly (readonly number[])[]): Breakers {
  const breakers = new Map<number, number[][]>();
  for (const [first, ...tail] of sequences) {
    if (first === undefined) continue;
    const tails = breakers.get(first);
    if (tails === undefined) breakers.set(first, [tail]);
    else tails.push(tail);
  }
  return breakers;
}

/**
 * The token sequences that make up a breaker text: a token that contains the text breaks by
 * itself; a token that ends with a beginning of it does so together with the tokens of the rest.
 * Scans the whole vocabulary, so keep the result.
 *
 * @param tokenText the text of a token, special tokens included
 * @param tokenize the tokens of a text, without BOS and without reading special tokens
 */
export function findBreakers(
  texts: readonly string[],
  vocabulary: number,
  tokenText: (id: number) => string,
  tokenize: (text: string) => ArrayLike<number>,
): number[][] {
  const sequences: number[][] = [];
  const tails = new Map<string, ArrayLike<number>>([["", []]]);
  const wanted = texts.filter((text) => text !== "").map((text) => text.slice(0, maxCharacters));
  const tailOf = (rest: string): ArrayLike<number> => {
    let tail = tails.get(rest);
    if (tail === undefined) tails.set(rest, (tail = Array.from(tokenize(rest)).slice(0, maxTail)));
    return tail;
  };
  for (let id = 0; id < vocabulary; id++) {
    const word = tokenText(id);
    const found = new Set<ArrayLike<number>>();
    for (const text of wanted) {
      if (word.includes(text)) found.add(tailOf(""));
      else
        for (let length = Math.min(text.length - 1, word.length); length > 0; length--)
          if (word.endsWith(text.slice(0, length))) found.add(tailOf(text.slice(length)));
    }
    for (const tail of found) sequences.push([id, ...Array.from(tail)]);
  }
  return sequences;
}
