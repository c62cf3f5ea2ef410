import { describe, expect, it } from "vitest";
import type { ArchEntry } from "./archs.ts";
import { differences } from "./case.ts";
import { between, compactTable, fullTable, parseRows, passed } from "./results.ts";

const line = (name: string, metric: string, value: string, word = "pass"): string =>
  `${word}  archs/${name}  ${metric} ${value} (bound 1.00e-6)  node 20.20.2, Some GPU (vendor, x)`;
const entry = (arch: string, name = arch): [string, ArchEntry] => [
  `archs/${name}`,
  { name, arch, file: `${name}.gguf`, output_file: `${name}.logits.f32` },
];
const entries = new Map([
  entry("llama"),
  entry("llama", "llama-wide"),
  entry("qwen3"),
  entry("t5"),
  entry("zzz"),
]);

describe("differences", () => {
  it("of a known cause are told apart from others, and fail where there are none any more", () => {
    expect(differences("texts", 0)).toMatchObject({ metric: "texts", pass: true });
    expect(differences("texts", 2)).toMatchObject({ value: 2, pass: false });
    expect(differences("texts", 2).known).toBe(undefined);
    expect(differences("texts", 2, "why")).toMatchObject({ pass: false, known: "why" });
    const mended = differences("texts", 0, "why");
    expect(mended).toMatchObject({ metric: "texts, known: why", pass: false });
    expect(mended.known).toBe(undefined);
  });
});

describe("lines of a conformance run", () => {
  it("are the same printed and as JSON", () => {
    const [row] = parseRows(line("llama", "chunks of 7", "2.50e-13"));
    expect(row).toEqual({
      name: "archs/llama",
      metric: "chunks of 7",
      value: 2.5e-13,
      bound: 1e-6,
      pass: true,
      runtime: "node 20.20.2",
      adapter: "Some GPU (vendor, x)",
    });
    expect(parseRows(JSON.stringify(row))).toEqual([row]);
    expect(parseRows("archs/x: Cannot run\n12 passed, 0 failed")).toEqual([]);
    const [none] = parseRows("FAIL  archs/t5  unsupported - (bound -)  node 20, GPU");
    expect([none.value, none.pass]).toEqual([null, false]);
  });

  it("count by the last run of a model", () => {
    const rows = parseRows(
      [
        line("llama", "nmse", "1.00e-3", "FAIL"),
        line("qwen3", "nmse", "1.00e-13"),
        line("qwen3", "rewind", "1.00e-3", "FAIL"),
        line("llama", "nmse", "1.00e-13"),
      ].join("\n"),
    );
    expect([...passed(rows)]).toEqual(["archs/llama"]);
  });
});

describe("tables of architectures", () => {
  const results = new Map([
    [
      "node-gpu-f32",
      parseRows(
        [
          line("llama", "nmse", "1.00e-13"),
          line("llama-wide", "nmse", "3.00e-13"),
          line("qwen3", "nmse", "2.00e-13"),
          line("qwen3", "rewind", "1.00e-3", "FAIL"),
          line("zzz", "nmse", "0"),
          "FAIL  archs/t5  unsupported - (bound -)  node 20.20.2, Some GPU",
        ].join("\n"),
      ),
    ],
    ["node-cpu-f32", parseRows(line("llama", "nmse", "4.00e-13"))],
  ]);

  it("have a line a model, and name what does not run", () => {
    const text = fullTable(entries, results, "May 2027");
    expect(text).toContain("| architecture | model | Node | CPU path |");
    expect(text).toContain("| `llama` | llama | 1.0e-13 | 4.0e-13 |");
    expect(text).toContain("| `qwen3` | qwen3 | **2.0e-13** |  |");
    expect(text).toContain("Not supported: t5.");
  });

  it("have the worst of a family", () => {
    const lines = compactTable(entries, results).split("\n");
    expect(lines[2]).toContain("| 2 | 3.0e-13 | 4.0e-13 |");
    expect(lines.at(-1)).toBe("| others: 1 architectures | 1 | 0 |  |");
  });

  it("go between their markers only", () => {
    expect(between("a <x> old </x> b", "<x>", "</x>", "new")).toBe("a <x>\nnew\n</x> b");
    expect(() => between("a", "<x>", "</x>", "new")).toThrow("<x>");
  });
});
