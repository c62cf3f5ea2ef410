/**
 * PLaMo 2's tokenizer: the segmentation whose tokens have the highest sum of scores, found from
 * right to left in whole numbers; between equal sums the longer token wins. A character without a
 * token costs 1000 and becomes byte tokens.
 */
import { WebggufError } from "../base/errors.ts";
import { byteToken } from "./bpe.ts";
import { decodePoints, toUtf8, writePoint } from "./utf8.ts";
import { attribute } from "./vocab/attributes.ts";
import type { Vocabulary } from "./vocab/index.ts";
import { ByteTrie } from "./vocab/pairs.ts";

/** Scores count in steps of 1e-4. */
const scale = 1e4;
/** What a character without a token costs. */
const unknownCost = 1e7;
/** Tokens that cost this or more are never taken. */
const unusableCost = 2e7;
const byteOrderMark = 0xfeff;

/** Rounds half away from zero. */
const round = (value: number): number => Math.sign(value) * Math.round(Math.abs(value));

/** Encodes stretches of text without special tokens. */
export class PlamoEncoder {
  readonly #trie: ByteTrie = new ByteTrie();
  readonly #costs: Float64Array;
  /** Token of each byte. */
  readonly #bytes: Int32Array;
  /** Bytes looked at so far. */
  steps = 0;

  constructor(vocabulary: Vocabulary) {
    const { tokens, scores, attributes, ids, file } = vocabulary;
    this.#costs = Float64Array.from(tokens, (_, id) =>
      Number.isFinite(scores[id]) ? -round(Math.fround(scores[id]) * scale) : unusableCost,
    );
    for (let id = 0; id < tokens.length; id++)
      if ((attributes[id] & attribute.byte) === 0) this.#trie.add(toUtf8(tokens[id]), id);
    this.#bytes = Int32Array.from({ length: 256 }, (_, byte) => {
      const id = ids.get(byteToken(byte));
      if (id !== undefined) return id;
      throw new WebggufError(
        "model/invalid",
        `Cannot use metadata key "tokenizer.ggml.tokens" of ${file}: it has no token ${byteToken(byte)}`,
        { file, key: "tokenizer.ggml.tokens", expected: byteToken(byte) },
      );
    });
  }

  encode(text: Uint8Array, output: number[]): void {
    const points = decodePoints(text);
    const given = points[0] === byteOrderMark ? points.subarray(1) : points;
    // Bytes of the text as it was understood, and where each character starts among them.
    const bytes = new Uint8Array(given.length * 4);
    const starts = new Int32Array(given.length + 1);
    for (let i = 0; i < given.length; i++) starts[i + 1] = writePoint(given[i], bytes, starts[i]);
    const size = starts[given.length];

    const cost = new Float64Array(size + 1);
    const token = new Int32Array(size + 1).fill(-1);
    const length = new Int32Array(size + 1);
    for (let i = given.length - 1; i >= 0; i--) {
      const start = starts[i];
      length[start] = starts[i + 1] - start;
      cost[start] = cost[starts[i + 1]] + unknownCost;
      let node = 0;
      for (let at = start; at < size; at++) {
        this.steps++;
        node = this.#trie.step(node, bytes[at]);
        if (node < 0) break;
        const id = this.#trie.value(node);
        if (id < 0 || this.#costs[id] >= unusableCost) continue;
        const sum = cost[at + 1] + this.#costs[id];
        if (sum > cost[start]) continue;
        cost[start] = sum;
        token[start] = id;
        length[start] = at + 1 - start;
      }
    }
    for (let at = 0; at < size; at += length[at]) {
      if (token[at] >= 0) output.push(token[at]);
      else for (const byte of bytes.subarray(at, at + length[at])) output.push(this.#bytes[byte]);
    }
  }
}
