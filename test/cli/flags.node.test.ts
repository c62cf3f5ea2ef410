import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { describeFlags, type Flag, parseFlags } from "../../cli/flags.ts";
import { GRAMMAR_FLAGS, grammarOptions } from "../../cli/grammar-flags.ts";
import {
  DEVICE_FLAGS,
  loadOptions,
  SAMPLING_FLAGS,
  SPECULATION_FLAGS,
  samplingOptions,
} from "../../cli/model-flags.ts";
import { processEscapes, progressBar } from "../../cli/terminal.ts";
import { nearest } from "../../src/base/text.ts";

const FLAGS: readonly Flag[] = [
  { names: ["-n", "--n-predict", "--predict"], value: "N", help: "how many" },
  { names: ["-r", "--reverse-prompt"], value: "TEXT", many: true, help: "stop" },
  { names: ["--json"], help: "as JSON" },
];
const load = (...args: string[]): ReturnType<typeof loadOptions> =>
  loadOptions(parseFlags(args, [...DEVICE_FLAGS, ...SPECULATION_FLAGS]));
const sampling = (...args: string[]): ReturnType<typeof samplingOptions> =>
  samplingOptions(parseFlags(args, SAMPLING_FLAGS));

describe("flags", () => {
  it("have llama.cpp's spellings, with values that may begin with a dash", () => {
    const values = parseFlags(
      ["-n", "-1", "file", "-r", "--stop--", "--reverse_prompt=b", "--json"],
      FLAGS,
    );
    expect(values.integer("predict")).toBe(-1);
    expect(values.texts("reverse-prompt")).toEqual(["--stop--", "b"]);
    expect(values.switch("json")).toBe(true);
    expect(values.positionals).toEqual(["file"]);
  });

  it("of llama.cpp's that have no effect are taken with the words that belong to them", () => {
    const read = (...args: string[]): [readonly string[], readonly string[]] => {
      const { carried, positionals } = parseFlags(args, FLAGS);
      return [carried, positionals];
    };
    expect(read("-tb", "4", "a")).toEqual([["-tb"], ["a"]]);
    expect(read("-fa", "a")).toEqual([["-fa"], ["a"]]);
    expect(read("-fa", "on", "a")).toEqual([["-fa"], ["a"]]);
    expect(read("--flash-attn=on", "a")).toEqual([["--flash-attn"], ["a"]]);
    expect(read("--no_mmap", "a")).toEqual([["--no_mmap"], ["a"]]);
    expect(read("--mlock", "1")).toEqual([["--mlock"], ["1"]]);
  });

  it("suggest the nearest name", () => {
    expect(() => parseFlags(["--predic", "3"], FLAGS)).toThrow("did you mean --predict?");
    expect(() => parseFlags(["--something-else"], FLAGS)).toThrow("--help lists the flags");
    expect(nearest("complet", ["chat", "complete"])).toBe("complete");
  });

  it("say what is wrong with a value", () => {
    expect(() => parseFlags(["-n", "x"], FLAGS).integer("predict")).toThrow("wants a number");
    expect(() => parseFlags(["-n", "1.5"], FLAGS).integer("predict")).toThrow("whole number");
    expect(() => parseFlags(["-n"], FLAGS)).toThrow("wants N after it");
    expect(() => parseFlags(["--json=1"], FLAGS)).toThrow("takes no value");
    expect(() => load("-ctk", "f8")).toThrow("one of f32, f16, q8_0, q4_0");
    expect(() => load("-ub", "0")).toThrow("at least 1");
  });

  it("choose how tokens are guessed ahead as llama.cpp's do", () => {
    expect(load().speculation).toBe(undefined);
    expect(load("--spec-type", "none", "-md", "d.gguf").speculation).toBe(undefined);
    expect(load("-md", "d.gguf", "--draft-max", "5").speculation).toEqual({
      model: "d.gguf",
      draftMax: 5,
    });
    expect(load("-hfd", "user/draft:Q8_0").speculation).toEqual({ model: "hf:user/draft:Q8_0" });
    expect(load("--spec-type", "ngram-simple", "--draft-min", "2").speculation).toEqual({
      draftMin: 2,
    });
    expect(() => load("--spec-type", "draft-simple")).toThrow("needs a draft model");
  });

  it("choose the device, context and chunk as llama.cpp's do", () => {
    expect(load()).toMatchObject({ device: "auto", cacheTypeK: "f16", cacheTypeV: "f16" });
    expect(load("-ngl", "0").device).toBe("cpu");
    expect(load("-ngl", "99").device).toBe("auto");
    expect(load("--n-gpu-layers", "all", "-dev", "NVIDIA").device).toBe("NVIDIA");
    expect(load("-c", "0").contextLength).toBe(0);
    expect(load("-b", "128", "-ub", "512").chunk).toBe(128);
    expect(load("-ctk", "q8_0", "--cache-type-v", "f32")).toMatchObject({
      cacheTypeK: "q8_0",
      cacheTypeV: "f32",
    });
  });

  it("leave sampling to the engine's defaults, and translate what is given", () => {
    expect(sampling()).toEqual({});
    expect(
      sampling(
        "--temp",
        "0.5",
        "-s",
        "7",
        "--samplers",
        "top_k;temp",
        "-l",
        "15-1.5",
        "-l",
        "9-inf",
      ),
    ).toEqual({
      temperature: 0.5,
      seed: 7,
      samplers: ["top_k", "temperature"],
      logitBias: new Map([
        [15, -1.5],
        [9, Number.NEGATIVE_INFINITY],
      ]),
    });
    expect(sampling("-s", "-1")).toEqual({});
    expect(() => sampling("--samplers", "top_q")).toThrow("it knows penalties");
    expect(() => sampling("-l", "15")).toThrow("15043-1");
  });

  it("are described in two columns", () => {
    expect(describeFlags(FLAGS).split("\n")[2]).toMatch(/^ {2}--json +as JSON$/);
  });
});

describe("the terminal", () => {
  it("reads escapes as llama.cpp does", () => {
    expect(processEscapes("a\\nb\\tc\\\\d\\'\\\"\\q")).toBe("a\nb\tc\\d'\"\\q");
    expect(processEscapes("\\xe2\\x82\\xac")).toBe("€");
    expect(processEscapes("no escapes €")).toBe("no escapes €");
  });

  it("draws a bar of one width", () => {
    const bar = progressBar({ stage: "upload", loaded: 1 << 20, total: 2 << 20 });
    expect(bar).toBe(`Loading [${"#".repeat(15)}${".".repeat(15)}] 50% of 2 MiB`);
    const download = { stage: "download", loaded: 1 << 20, total: 2 << 20 } as const;
    expect(progressBar({ ...download, rate: 12.34e6, secondsLeft: 3725.2 })).toMatch(
      /^Downloading \[.{30}\] 50% of 2 MiB, 12\.3 MB\/s, 1:02:06 left$/,
    );
    expect(progressBar({ ...download, rate: 0 })).toMatch(/MiB$/);
  });
});

describe("the form of an answer", () => {
  const form = (...args: string[]): ReturnType<typeof grammarOptions> =>
    grammarOptions(parseFlags(args, GRAMMAR_FLAGS));

  it("is a grammar or a schema, written out or in a file", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "webgguf-form-"));
    const [gbnf, json] = ["a.gbnf", "a.json"].map((name) => path.join(folder, name));
    const grammar = 'root ::= "é"\n';
    const jsonSchema = { type: "string", maxLength: 3 };
    writeFileSync(gbnf, grammar);
    writeFileSync(json, JSON.stringify(jsonSchema));
    expect(await form()).toEqual({});
    expect(await form("--grammar", grammar)).toEqual({ grammar });
    expect(await form("--grammar-file", gbnf)).toEqual({ grammar });
    for (const flag of ["-j", "--json-schema"])
      expect(await form(flag, JSON.stringify(jsonSchema))).toEqual({ jsonSchema });
    for (const flag of ["-jf", "--json-schema-file"])
      expect(await form(flag, json)).toEqual({ jsonSchema });
    expect(await form("-j", "true")).toEqual({ jsonSchema: true });
    const refused: [args: string[], said: string][] = [
      [["--grammar", grammar, "--grammar-file", gbnf], "Give --grammar or --grammar-file"],
      [["-j", "{}", "-jf", json], "Give --json-schema or --json-schema-file"],
      [["--grammar-file", gbnf, "-j", "{}"], "a grammar or a JSON Schema, not both"],
      [["-j", "{"], "--json-schema is no JSON"],
      [["-j", "5"], "wants an object, true or false"],
      [["-j", "null"], "wants an object, true or false"],
    ];
    for (const [args, said] of refused) await expect(form(...args)).rejects.toThrow(said);
    rmSync(folder, { recursive: true });
  });
});
