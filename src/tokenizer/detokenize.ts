/** Token ids back to bytes. */
import { byteCharacters } from "./bpe.ts";
import { unescapeToken } from "./rwkv.ts";
import { toUtf8 } from "./utf8.ts";
import { attribute } from "./vocab/attributes.ts";
import type { Vocabulary } from "./vocab/index.ts";

const nothing = new Uint8Array(0);
const byteOf: ReadonlyMap<string, number> = new Map(
  byteCharacters.map((text, byte) => [text, byte]),
);

/** A token's text in GPT-2's alphabet to the bytes that it stands for. */
function fromByteCharacters(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const byte = byteOf.get(character);
    if (byte !== undefined) bytes.push(byte);
    // Characters outside of the alphabet are shown as in llama.cpp.
    else bytes.push(...toUtf8(`[UNK_BYTE_0x${hex(toUtf8(character))}${text}]`));
  }
  return Uint8Array.from(bytes);
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The two digits of `<0xAB>`; 0 where there are none. */
function byteOfToken(text: string): Uint8Array {
  const value = Number.parseInt(text.slice(3, 5), 16);
  return Uint8Array.of(Number.isNaN(value) ? 0 : value);
}

/** The bytes of a token with special tokens spelt out; empty for unused ones. */
export function pieceOf(vocabulary: Vocabulary, id: number): Uint8Array {
  const { attributes, family, tokens, escapeSpaces } = vocabulary;
  const text = tokens[id];
  const bits = attributes[id];
  if (family === "rwkv") return unescapeToken(text);
  if (family === "plamo") return bits & attribute.byte ? byteOfToken(text) : toUtf8(text);
  if (bits & (attribute.unknown | attribute.control | attribute.userDefined)) return toUtf8(text);
  if (bits & attribute.normal)
    return escapeSpaces ? toUtf8(text.replaceAll("\u2581", " ")) : fromByteCharacters(text);
  return bits & attribute.byte ? byteOfToken(text) : nothing;
}

const SPACE = 32;
const APOSTROPHE = 39;
const pauses: readonly number[] = [..."?!.,"].map((character) => character.charCodeAt(0));

/** Keeps the bytes for which `drop` is not set. */
function without(bytes: Uint8Array, drop: Uint8Array): Uint8Array {
  return bytes.filter((_, i) => drop[i] === 0);
}

/** Takes out the spaces that word-wise tokenizers put before punctuation and contractions. */
export function cleanSpaces(text: Uint8Array): Uint8Array {
  let bytes = text;
  let drop = new Uint8Array(bytes.length);
  for (let i = 1; i < bytes.length; i++)
    if (bytes[i - 1] === SPACE && pauses.includes(bytes[i])) drop[i - 1] = 1;
  bytes = without(bytes, drop);

  // An apostrophe between spaces loses both.
  drop = new Uint8Array(bytes.length);
  for (let i = 1; i + 1 < bytes.length; i++)
    if (
      bytes[i] === APOSTROPHE &&
      bytes[i - 1] === SPACE &&
      drop[i - 1] === 0 &&
      bytes[i + 1] === SPACE
    )
      drop[i - 1] = drop[i + 1] = 1;
  bytes = without(bytes, drop);

  // 's, 'm, 're and 've join the word before.
  drop = new Uint8Array(bytes.length);
  for (let i = 1; i + 1 < bytes.length; i++) {
    if (bytes[i] !== APOSTROPHE || bytes[i - 1] !== SPACE) continue;
    const first = String.fromCharCode(bytes[i + 1]);
    const second = i + 2 < bytes.length ? String.fromCharCode(bytes[i + 2]) : "";
    if (first === "s" || first === "m" || ((first === "r" || first === "v") && second === "e"))
      drop[i - 1] = 1;
  }
  return without(bytes, drop);
}
