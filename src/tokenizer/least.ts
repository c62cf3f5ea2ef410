/** How many tokens a text surely has, without tokenizing it. */
import { pieceOf } from "./detokenize.ts";
import { toUtf8 } from "./utf8.ts";
import { attribute } from "./vocab/attributes.ts";
import type { Vocabulary } from "./vocab/index.ts";

const SPACE = 32;
/** U+2581 in UTF-8, which stands for a space in tokens. */
const ESCAPED_SPACE = [0xe2, 0x96, 0x81];

/**
 * What a byte of text, by its value, adds to the number of tokens at least: 1 / the longest token
 * with it, as a token of n bytes has nothing but bytes that add 1/n or less. Bytes that may be
 * dropped add nothing. Undefined where texts can vanish in other ways: unknown words become one
 * token, spaces none.
 */
export function leastShares(vocabulary: Vocabulary): Float64Array | undefined {
  const { family, pre, tokens, attributes, escapeSpaces } = vocabulary;
  if (family === "wordpiece" || family === "unigram" || pre.dropSpaces) return undefined;
  const longest = new Float64Array(256);
  let strips = false;
  for (let id = 0; id < tokens.length; id++) {
    const piece = pieceOf(vocabulary, id);
    const bytes = piece.length > 0 ? piece : toUtf8(tokens[id]);
    for (const byte of bytes) longest[byte] = Math.max(longest[byte], bytes.length);
    strips ||= (attributes[id] & (attribute.stripLeft | attribute.stripRight)) !== 0;
  }
  if (escapeSpaces)
    for (const byte of ESCAPED_SPACE) longest[byte] = Math.max(longest[byte], 3 * longest[SPACE]);
  const shares = longest.map((length) => (length > 0 ? 1 / length : 0));
  if (strips) shares.fill(0, 9, 14)[SPACE] = 0;
  return shares;
}
