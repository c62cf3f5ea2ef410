import { describe, expect, it } from "vitest";
import { TextStream } from "../../src/chat/stream.ts";
import { uniform } from "../../src/sample/random.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** Pushes `bytes` in pieces that end at `cuts`; the text, and what was said of a stop. */
function run(bytes: Uint8Array, cuts: readonly number[], stops: readonly string[] = []) {
  const stream = new TextStream(stops);
  let text = "";
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    const piece = stream.push(bytes.subarray(from, to));
    text += piece.text;
    if (piece.stopped !== undefined) return { text: text + stream.end(), stopped: piece.stopped };
    from = to;
  }
  return { text: text + stream.end(), stopped: undefined };
}

function randomCuts(length: number, seed: number): number[] {
  const cuts: number[] = [];
  for (let i = 1; i < length; i++) if (uniform(seed, 7, i) < 0.4) cuts.push(i);
  return cuts;
}

/** The first stop to be complete, the longest of those that end together; by looking everywhere. */
function firstStop(bytes: Uint8Array, stops: readonly string[]) {
  const patterns = stops.map((text) => ({ text, bytes: encode(text) }));
  patterns.sort((a, b) => b.bytes.length - a.bytes.length);
  for (let end = 1; end <= bytes.length; end++)
    for (const { text, bytes: pattern } of patterns) {
      const start = end - pattern.length;
      if (start >= 0 && pattern.every((byte, i) => bytes[start + i] === byte))
        return { text: decode(bytes.subarray(0, start)), stopped: text };
    }
  return { text: decode(bytes), stopped: undefined };
}

describe("TextStream", () => {
  const mixed = encode("\ufeffnaïve — 日本語の文章 🙂👩‍👩‍👧 flag 🇩🇪 e\u0301 \ufffd end");

  it("never gives half a character", () => {
    const stream = new TextStream();
    const pieces = Array.from(mixed, (byte) => stream.push(Uint8Array.of(byte)).text);
    expect(pieces.join("") + stream.end()).toBe(decode(mixed));
    for (const piece of pieces) expect(decode(encode(piece))).toBe(piece); // no lone surrogate
    expect(pieces.filter((piece) => piece === "\ufffd").length).toBe(1); // the one that was written
  });

  it("is the same for every cut in two, and for random cuts", () => {
    for (let at = 0; at <= mixed.length; at++)
      for (const stops of [[], ["endless", "🙃"]])
        expect(run(mixed, [at], stops).text).toBe(decode(mixed));
  });

  it("makes U+FFFD of invalid bytes as TextDecoder does, however they are cut", () => {
    const pool = [0x41, 0x20, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80];
    pool.push(0xff, 0xed, 0xa0, 0xef, 0xbb, 0xbf, 0xf4, 0x90, 0xe0, 0xc0);
    for (let seed = 0; seed < 2000; seed++) {
      const length = 1 + Math.floor(uniform(seed, 0, 0) * 12);
      const bytes = Uint8Array.from(
        { length },
        (_, i) => pool[Math.floor(uniform(seed, 1, i) * pool.length)],
      );
      const cuts = randomCuts(length, seed);
      expect(run(bytes, cuts).text).toBe(decode(bytes));
      const stops = ["é", "€A", " A ", "\ufeff😀"];
      expect(run(bytes, cuts, stops)).toEqual(firstStop(bytes, stops));
    }
  });

  it("flushes an unfinished character at the end and starts anew", () => {
    const stream = new TextStream(["stop"]);
    expect(stream.push(Uint8Array.of(0x61, 0xe2, 0x82))).toEqual({ text: "a" });
    expect(stream.end()).toBe("\ufffd");
    expect(stream.push(encode("bst"))).toEqual({ text: "b" });
    expect(stream.end()).toBe("st");
    expect(stream.push(encode("op"))).toEqual({ text: "op" });
    expect(stream.end()).toBe("");
  });
});

describe("stop strings", () => {
  it("are found across borders and are no part of the text", () => {
    const stream = new TextStream(["</s>"]);
    expect(stream.push(encode("one <"))).toEqual({ text: "one " });
    expect(stream.push(encode("/"))).toEqual({ text: "" });
    expect(stream.push(encode("b> </"))).toEqual({ text: "</b> " });
    expect(stream.push(encode("s> more"))).toEqual({ text: "", stopped: "</s>" });
    expect(stream.push(encode("after"))).toEqual({ text: "", stopped: "</s>" });
    expect(stream.end()).toBe("");
  });

  it("hold back exactly what may become one", () => {
    const stops = ["aab", "abc", "🙂!"];
    const bytes = encode("xaaaabaabcab🙂🙂?aa");
    const stream = new TextStream(stops.filter((stop) => stop !== "aab"));
    let given = 0;
    for (let at = 0; at < bytes.length; at++) {
      const piece = stream.push(bytes.subarray(at, at + 1));
      if (piece.stopped !== undefined) break;
      given += encode(piece.text).length;
      const seen = bytes.subarray(0, at + 1);
      let held = 0;
      for (const stop of ["abc", "🙂!"].map(encode))
        for (let length = 1; length < stop.length && length <= seen.length; length++)
          if (stop.subarray(0, length).every((byte, i) => byte === seen[seen.length - length + i]))
            held = Math.max(held, length);
      expect(given).toBe(seen.length - held);
    }
  });

  it("stop at the first that is complete, the longest of those that end together", () => {
    const cases: [string, string[], string, string][] = [
      ["say abcd", ["bc", "abc"], "say ", "abc"],
      ["say abcd", ["abcd", "bc"], "say a", "bc"],
      ["aaab", ["aab"], "a", "aab"],
      ["ababac", ["abac", "x"], "ab", "abac"],
      ["日本語", ["本"], "日", "本"],
      ["\n\nUser:", ["\nUser:", "User:"], "\n", "\nUser:"],
      ["stop", ["", "stop"], "", "stop"],
    ];
    for (const [text, stops, before, stopped] of cases)
      for (let at = 0; at <= encode(text).length; at++) {
        const result = run(encode(text), [at], stops);
        expect([result.text, result.stopped]).toEqual([before, stopped]);
      }
  });

  it("equal a search by brute force, however the text is cut", () => {
    const letters = ["a", "b", "é", "🙂"];
    const word = (seed: number, sequence: number, length: number) =>
      Array.from({ length }, (_, i) => letters[Math.floor(uniform(seed, sequence, i) * 4)]).join(
        "",
      );
    for (let seed = 0; seed < 1000; seed++) {
      const bytes = encode(word(seed, 0, 12));
      const stops = [word(seed, 1, 4), word(seed, 2, 3), word(seed, 3, 5), word(seed, 4, 3)];
      expect(run(bytes, randomCuts(bytes.length, seed), stops)).toEqual(firstStop(bytes, stops));
    }
  });

  it("that are hard to tell apart still cost linear time", () => {
    const count = 200000;
    const stream = new TextStream([`${"a".repeat(20000)}b`, `${"a".repeat(10000)}c`]);
    const one = encode("a");
    const began = performance.now();
    let given = 0;
    for (let i = 0; i < count; i++) given += stream.push(one).text.length;
    given += stream.push(new Uint8Array(count).fill(97)).text.length;
    expect(given + stream.end().length).toBe(2 * count);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
