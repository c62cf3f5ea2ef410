/**
 * How long tokenizers take for one megabyte of awkward text.
 *
 * Usage: node scripts/run.mjs bench/tokenize.ts FILE.gguf…  (`--json` prints one object a line)
 */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { bufferSource } from "../src/bytes/buffer.ts";
import { readGguf } from "../src/gguf/read.ts";
import { createTokenizer, type Tokenizer } from "../src/tokenizer/tokenizer.ts";

const megabyte = 1_000_000;
const fill = (piece: string): string => {
  const bytes = new TextEncoder().encode(piece).length;
  return piece.repeat(Math.ceil(megabyte / bytes));
};

/** A small generator (a linear congruence), so that runs are the same everywhere. */
function randomText(alphabet: string, length: number): string {
  let state = 1;
  let text = "";
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += alphabet[Math.floor((state / 2 ** 32) * alphabet.length)];
  }
  return text;
}

const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Name to text; each has a megabyte of UTF-8. */
const texts: Readonly<Record<string, string>> = {
  "one letter": fill("a"),
  spaces: fill(" "),
  newlines: fill("\n"),
  digits: fill("7"),
  emoji: fill("😀👩‍👩‍👧‍👦🚀"),
  mixed: fill(
    'The quick brown fox (aged 7½) jumps — over 3 lazy dogs!\n\tЁжик в тумане, 我想在apple工作, مرحبا; fn main() { println!("{}", 0x1F); }\r\n',
  ),
  base64: randomText(base64, megabyte),
  Chinese: fill("天地玄黄宇宙洪荒日月盈昃辰宿列张"),
};

/** Seconds to turn a text into tokens. */
function seconds(tokenizer: Tokenizer, text: string): number {
  const start = performance.now();
  tokenizer.encode(text, { parseSpecial: true });
  return (performance.now() - start) / 1000;
}

const json = process.argv.includes("--json");
const files = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
if (files.length === 0) {
  console.error("Usage: node scripts/run.mjs bench/tokenize.ts FILE.gguf… [--json]");
  process.exitCode = 2;
} else if (!json) {
  console.log(["seconds".padEnd(34), ...Object.keys(texts).map((n) => n.padStart(11))].join(""));
}
for (const path of files) {
  const source = bufferSource(new Uint8Array(await readFile(path)), basename(path));
  const { metadata } = await readGguf(source, { headerOnly: true });
  const tokenizer = createTokenizer(metadata);
  tokenizer.encode("warm up ".repeat(1000));
  const times = Object.entries(texts).map(
    ([name, text]) => [name, seconds(tokenizer, text)] as const,
  );
  if (json)
    console.log(JSON.stringify({ file: basename(path), seconds: Object.fromEntries(times) }));
  else
    console.log(
      [basename(path).padEnd(34), ...times.map(([, time]) => time.toFixed(2).padStart(11))].join(
        "",
      ),
    );
}
