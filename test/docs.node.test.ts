/**
 * The TypeScript examples of the README, of docs/ and of doc comments: all of them compile, and all
 * but those marked `browser` run and end without an error.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildInto } from "./checks/built.ts";
import { root } from "./checks/sources.ts";

interface Example {
  readonly name: string;
  readonly code: string;
  readonly browser: boolean;
}

const sources = [
  "README.md",
  ...readdirSync(path.join(root, "docs")).map((name) => `docs/${name}`),
  "mod.ts",
  "src/session/model.ts",
  "src/tools/mod.ts",
  "src/worker/client.ts",
];

/** Fenced blocks marked `ts`; in doc comments each line begins with an asterisk. */
function examplesOf(file: string): Example[] {
  const text = readFileSync(path.join(root, file), "utf8").replace(/^ \* ?/gm, "");
  return Array.from(text.matchAll(/^```ts( browser)?\n([\s\S]*?)^```$/gm), (match, i) => ({
    name: `${file} example ${i + 1}`,
    code: match[2],
    browser: match[1] !== undefined || match[2].includes("new Worker("),
  }));
}

const examples = sources.flatMap(examplesOf);
const folder = path.join(root, "test/.examples");
const fileOf = (example: Example): string => path.join(folder, `${examples.indexOf(example)}.ts`);

/** The package's names as files of the repository. */
const local = (code: string, from: (file: string) => string): string =>
  code
    .replaceAll('"webgguf/worker"', `"${from("src/worker/mod.ts")}"`)
    .replaceAll('"webgguf/tools"', `"${from("src/tools/mod.ts")}"`)
    .replaceAll('"webgguf"', `"${from("mod.ts")}"`);

describe("the guides", () => {
  const guides = [".", "docs", "examples"].flatMap((folder) =>
    readdirSync(path.join(root, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => path.join(folder, name)),
  );

  it("link to files that are there", () => {
    expect(guides.length).toBeGreaterThan(9);
    const broken = guides.flatMap((file) => {
      const text = readFileSync(path.join(root, file), "utf8");
      const links = Array.from(text.matchAll(/\]\((?!https?:)([^)#]+)/g), (match) => match[1]);
      const from = path.dirname(path.join(root, file));
      return links.filter((link) => !existsSync(path.join(from, link))).map((l) => `${file}: ${l}`);
    });
    expect(broken).toEqual([]);
  });
});

describe("the examples", () => {
  beforeAll(() => {
    mkdirSync(folder, { recursive: true });
    for (const example of examples) {
      // A worker example in a doc comment leaves out its imports.
      const imports =
        example.code.includes("loadModelInWorker(") && !example.code.includes("import ")
          ? 'import { loadModelInWorker } from "webgguf/worker";\ndeclare const file: File;\n'
          : "";
      const code = local(imports + example.code, (file) => `../../${file}`);
      writeFileSync(fileOf(example), `${code}\nexport {};\n`);
    }
    const config = {
      extends: "../../tsconfig.json",
      include: ["./*.ts"],
      compilerOptions: { isolatedDeclarations: false, noUnusedLocals: false, declaration: false },
    };
    writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(config));
  });
  const built = mkdtempSync(path.join(tmpdir(), "webgguf-docs-"));
  afterAll(() => {
    for (const made of [folder, built]) rmSync(made, { recursive: true, force: true });
  });

  it("are found", () => {
    expect(examples.length).toBeGreaterThan(8);
  });

  it("compile", () => {
    expect(buildInto(built, folder, ["--noEmit", "false", "--rootDir", root])).toBe("");
  });

  it.each(examples.filter(({ browser }) => !browser))("$name runs", (example) => {
    const run = spawnSync(
      process.execPath,
      [path.join(built, path.relative(root, fileOf(example)).replace(/ts$/, "js"))],
      {
        cwd: root,
        encoding: "utf8",
      },
    );
    expect(run.stderr).not.toContain("Error");
    expect(run.status).toBe(0);
    const said = /console\.log\(answer\); \/\/ (.*)/.exec(example.code);
    if (said) expect(run.stdout).toContain(said[1]);
  });
});
