/** Flags are named by the command line alone: the engine speaks of options. */
import { describe, expect, it } from "vitest";
import { bench } from "../../cli/commands/bench.ts";
import { chat } from "../../cli/commands/chat.ts";
import { complete } from "../../cli/commands/complete.ts";
import { logits } from "../../cli/commands/logits.ts";
import { withHint } from "../../cli/hints.ts";
import { DEVICE_FLAGS } from "../../cli/model-flags.ts";
import { code, sourcesIn, text } from "../checks/sources.ts";

const CODES = [
  "context/overflow",
  "device/limit",
  "template/failed",
  "device/out-of-memory",
  "device/no-adapter",
  "model/no-tokenizer",
] as const;

/** What looks like a flag in a text: after a space, a bracket or a quote. */
const flagsIn = (words: string): string[] =>
  Array.from(words.matchAll(/(?<=^|[\s(`"'])--?[a-z][a-z-]*/g), ([flag]) => flag);

describe("hints", () => {
  it.each(CODES)("for %s name flags that there are", (code) => {
    const known = [...DEVICE_FLAGS, ...complete.flags, ...logits.flags, ...chat.flags].flatMap(
      (flag) => flag.names,
    );
    const named = flagsIn(withHint("", code));
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((flag) => ![...known, "--list-devices"].includes(flag))).toEqual([]);
  });

  it("stand behind the message, or instead of the engine's advice", () => {
    expect(withHint("Cannot hold 9 GB; load less", "device/limit")).toMatch(
      /^Cannot hold 9 GB; load less \(a smaller -c.*\)$/,
    );
    expect(withHint("9; 8 tokens; set contextLength", "context/overflow")).toMatch(
      /^9; 8 tokens; .*-c/,
    );
    expect(withHint("Cannot read it", "source/io")).toBe("Cannot read it");
  });
});

describe("the engine", () => {
  it("names no flag in what it says", () => {
    const flags = [...DEVICE_FLAGS, ...complete.flags, ...bench.flags].flatMap(
      ({ names }) => names,
    );
    const found = sourcesIn("src").flatMap((file) => {
      const strings = code(text(file), true).matchAll(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g);
      return Array.from(strings, ([string]) => flagsIn(string))
        .flat()
        .filter((flag) => flags.includes(flag))
        .map((flag) => `${file}: ${flag}`);
    });
    expect(found).toEqual([]);
  });
});
