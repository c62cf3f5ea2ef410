import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { architectures } from "../src/models/index.ts";
import {
  circlesOf,
  code,
  graphOf,
  importsOf,
  resolveFrom,
  root,
  sourcesIn,
  takenBy,
  text,
  valuesOf,
} from "./checks/sources.ts";

/** The stations in the order in which data flows; each may import itself and what stands before it. */
const stations = [
  "base",
  "platform",
  "bytes",
  "file",
  "gguf",
  "graph",
  "models",
  "kernels",
  "plan",
  "gpu",
  "wasm",
  "cpu",
  "quantize",
  "tokenizer",
  "jinja",
  "chat",
  "grammar",
  "sample",
  "session",
  "tools",
  "worker",
  "mod.ts",
  "cli",
];
const gpuStations = ["kernels", "plan", "gpu"];
const withoutGpu = ["cpu", "quantize", "tokenizer", "jinja", "chat", "grammar", "sample"];

function stationOf(file: string): string {
  const [first, second] = file.split("/");
  return first === "src" ? second! : first!;
}

const doors = ["mod.ts", "src/worker/mod.ts", "src/tools/mod.ts"].filter((file) =>
  existsSync(path.join(root, file)),
);
const engine = [...sourcesIn("src"), ...doors.filter((file) => file === "mod.ts")];
const all = [...engine, ...sourcesIn("cli")];

/** "file: what" for every file of `files` whose code, without comments and strings, matches. */
function matchesIn(files: readonly string[], pattern: RegExp): string[] {
  return files.flatMap((file) =>
    Array.from(code(text(file), false).matchAll(pattern), (match) => `${file}: ${match[0]}`),
  );
}

describe("imports", () => {
  it("go only to the left", () => {
    const wrong: string[] = [];
    for (const file of all) {
      const from = stationOf(file);
      for (const specifier of importsOf(file)) {
        const target = specifier === "#platform" ? "src/platform" : resolveFrom(file, specifier);
        if (!specifier.startsWith(".") && specifier !== "#platform") continue;
        const to = stationOf(target);
        if (to === "wgsl") {
          if (from !== "kernels") wrong.push(`${file} imports ${target}: only kernels may`);
          continue;
        }
        if (!stations.includes(to)) {
          if (from !== "cli") wrong.push(`${file} imports ${target}: no station`);
        } else if (stations.indexOf(to) > stations.indexOf(from)) {
          wrong.push(`${file} imports ${target}`);
        } else if (withoutGpu.includes(from) && gpuStations.includes(to)) {
          wrong.push(`${file} imports ${target}: it must not know the GPU`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("have no circle, types included", () => {
    expect(circlesOf(all)).toEqual([]);
  });

  it("of engine files carry their ending", () => {
    const bare = all.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith(".") && !/\.(ts|mjs|json)$/.test(specifier))
        .map((specifier) => `${file} imports ${specifier}`),
    );
    expect(bare).toEqual([]);
  });

  it("of the examples are the package's entries, built-in modules and Vite", () => {
    const files = sourcesIn("examples");
    expect(files.length).toBeGreaterThan(4);
    const allowed = /^(webgguf(\/worker|\/tools)?|node:\w+|vite)$/;
    const wrong = files.flatMap((file) => importsOf(file).filter((one) => !allowed.test(one)));
    expect(wrong).toEqual([]);
  });
});

describe.skipIf(doors.length === 0)("what is reachable from the doors", () => {
  it.each(["browser", "deno"])("holds no Node package with %s", (runtime) => {
    const { files, packages } = graphOf(doors, `src/platform/${runtime}.ts`);
    // Deno has Node's modules for files built in.
    const builtIn = runtime === "deno" ? /^node:/ : /^$/;
    expect([...packages.keys()].filter((name) => !builtIn.test(name))).toEqual([]);
    const others = ["browser", "deno", "node", "vulkan"].filter((name) => name !== runtime);
    expect(files.filter((file) => others.some((one) => file === `src/platform/${one}.ts`))).toEqual(
      [],
    );
  });

  it("does nothing but define when it is imported", () => {
    const { files } = graphOf(doors, "src/platform/browser.ts");
    const calm =
      /^(?:import|export|const|let|function|async function|class|abstract class|type|interface|declare|[\s})\]`|&<>]|$)/;
    /** A call that fills a table of the same file; nobody outside can tell. */
    const own = (source: string, line: string): boolean => {
      const name = /^(\w+)(?:\.\w+)?\(/.exec(line)?.[1];
      return name !== undefined && new RegExp(`^(?:const|function) ${name}\\b`, "m").test(source);
    };
    const loud = files
      .filter((file) => file !== "wgsl/mod.ts")
      .flatMap((file) => {
        const source = code(text(file), false);
        return source
          .split("\n")
          .filter((line) => !calm.test(line) || /^(export )?(const|let)\b.*\bawait\b/.test(line))
          .filter((line) => !own(source, line))
          .map((line) => `${file}: ${line}`);
      });
    expect(loud).toEqual([]);
  });

  it("is a list of exports in mod.ts", () => {
    const lines = code(text("mod.ts"), true).split("\n");
    expect(lines.filter((line) => !/^(?:import\b|export\b|[\s}]|$)/.test(line))).toEqual([]);
  });
});

describe("names", () => {
  it("of device objects stand in platform and gpu alone", () => {
    const allowed = ["platform", "gpu"];
    const others = all.filter((file) => !allowed.includes(stationOf(file)));
    expect(matchesIn(others, /\bGPU[A-Z]\w+/g)).toEqual([]);
  });

  it("createBuffer is called in one file", () => {
    const others = all.filter((file) => file !== "src/platform/buffers.ts");
    expect(matchesIn(others, /\.createBuffer\(/g)).toEqual([]);
  });

  it("of runtimes stand only in platform", () => {
    const others = engine.filter((file) => stationOf(file) !== "platform");
    expect(matchesIn(others, /\b(?:process|Deno|navigator|window|Buffer)\.\w+/g)).toEqual([]);
    const builtin = engine.filter((file) => importsOf(file).some((one) => one.startsWith("node:")));
    expect(builtin).toEqual([
      "src/platform/disk.ts",
      "src/platform/node.ts",
      "src/platform/threads.ts",
      "src/platform/vulkan.ts",
    ]);
  });

  it("of model families stand in no kernel and no plan", () => {
    const makers = "qwen|gemma|phi|mistral|mixtral|rwkv|bert|glm|exaone|kimi|cohere".split("|");
    const names = [...architectures(), ...makers].map((name) => name.replaceAll("-", "\\W"));
    const family = new RegExp(`\\b(?:${names.join("|")})\\d*\\b`, "gi");
    const shaders = readdirSync(path.join(root, "wgsl"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".wgsl"))
      .map((name) => `wgsl/${name.replaceAll("\\", "/")}`);
    expect(shaders.length).toBeGreaterThan(20);
    const files = [...sourcesIn("src/kernels"), ...sourcesIn("src/plan"), ...shaders];
    const found = files.flatMap((file) =>
      Array.from(code(text(file), true).matchAll(family), (match) => `${file}: ${match[0]}`),
    );
    expect(found).toEqual([]);
    // Nor may a plan ask which family a graph is of.
    const asking = [...sourcesIn("src/kernels"), ...sourcesIn("src/plan")];
    expect(matchesIn(asking, /\.architecture\b/g)).toEqual([]);
  });
});

describe("exports", () => {
  /** Files and values that nobody in the package asks for, and why they are there. */
  const reasons: Readonly<Record<string, string>> = {
    "src/platform/browser.ts": "#platform",
    "src/platform/deno.ts": "#platform",
    "src/platform/node.ts": "#platform",
    "src/bytes/store/worker.ts": "started by its address",
    "src/gguf/write.ts": "the other half of the format, which benches and tests write models with",
    "src/tokenizer/pretokenize/index.ts preTokenizerNames": "every name is tested",
    "src/tokenizer/tokenizer.ts tokenizerSteps": "the growth of the work is tested",
  };

  it("are used by the package: code for tests alone stands in test/", () => {
    const taken = new Set(all.flatMap(takenBy));
    const usedInside = (file: string, name: string): boolean =>
      Array.from(code(text(file), false).matchAll(new RegExp(`\\b${name}\\b`, "g"))).length > 1;
    const idle = engine
      .filter((file) => !doors.includes(file) && !taken.has(`${file} *`))
      .flatMap((file) => valuesOf(file).map((name) => [file, name] as const))
      .filter(([file, name]) => !taken.has(`${file} ${name}`) && !usedInside(file, name))
      .filter(([file, name]) => !(file in reasons) && !(`${file} ${name}` in reasons));
    expect(idle.map((one) => one.join(" "))).toEqual([]);
  });
});

describe("generated files", () => {
  it("wgsl/mod.ts holds the shaders as they are", () => {
    const args = ["--import", "tsx", "scripts/wgsl.ts", "--check"];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
    expect(stderr.trim()).toBe("");
    expect(status).toBe(0);
  });
});
