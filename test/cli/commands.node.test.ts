import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os, { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { buildInto } from "../checks/built.ts";
import { root } from "../checks/sources.ts";

const MODEL = "models/webgguf-tale-q8_0.gguf";
const folder = mkdtempSync(path.join(tmpdir(), "webgguf-cli-"));
const built = path.join(folder, "built");
buildInto(built);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
}

/** Runs the command line; `during` may send input or signals. */
function run(
  args: readonly string[],
  input = "",
  during?: (child: ReturnType<typeof spawn>, out: string) => void,
): Promise<Ended> {
  // What the user of this machine has measured with `tune` must not matter.
  const env = { ...process.env, XDG_CACHE_HOME: folder };
  const command = [path.join(built, "cli/main.js"), ...args];
  const child = spawn(process.execPath, command, { cwd: root, env });
  let out = "";
  let err = "";
  child.stdout.on("data", (data) => {
    out += data;
    during?.(child, out);
  });
  child.stderr.on("data", (data) => {
    err += data;
  });
  child.stdin.on("error", () => {});
  const open = "keep open: ";
  if (input.startsWith(open)) child.stdin.write(input.slice(open.length));
  else child.stdin.end(input);
  return new Promise((resolve) => child.on("close", (code) => resolve({ out, err, code })));
}

const cpu = ["-m", MODEL, "--device", "cpu"];
const greedy = (
  JSON.parse(readFileSync(path.join(root, "test/fixtures/tiny-model/greedy.json"), "utf8")) as {
    files: Record<string, { prompt: string; text: string; ids: number[] }[]>;
  }
).files["webgguf-tale-q8_0.gguf"];

describe("webgguf complete", () => {
  it("begins with what a prompt cache has, and says the same", async () => {
    const file = path.join(folder, "prompt.cache");
    const ask = (prompt: string, ...more: string[]) =>
      run(["complete", ...cpu, "-p", prompt, "-n", "12", "--temp", "0", ...more]);
    const begin = "Once upon a time there was a fox who lost a hat in the woods.";
    const wanted = await ask(begin);
    const first = await ask(begin, "--prompt-cache", file);
    const kept = readFileSync(file);
    const again = await ask(begin, "--prompt-cache", file, "--prompt-cache-ro");
    expect([first.out, again.out]).toEqual([wanted.out, wanted.out]);
    expect([first.err, again.err].map((err) => /\+(\d+) cached/.exec(err)?.[1])).toEqual([
      undefined,
      expect.stringMatching(/^\d\d$/),
    ]);
    expect(readFileSync(file).equals(kept)).toBe(true);
    await ask(begin, "--prompt-cache", file, "--prompt-cache-all");
    expect(readFileSync(file).length).toBeGreaterThan(kept.length);
    writeFileSync(file, kept.subarray(0, kept.length - 9));
    const cut = await ask(begin, "--prompt-cache", file);
    expect([cut.code, cut.err]).toEqual([1, expect.stringContaining("remove the file")]);
    const none = await ask(begin, "--prompt-cache-ro");
    expect([none.code, none.err]).toEqual([2, expect.stringContaining("--prompt-cache FILE")]);
  });

  it("prints llama.cpp's greedy text, statistics apart", async () => {
    const [{ prompt, text }] = greedy;
    const { out, err, code } = await run([
      ...["complete", ...cpu, "--temp", "0", "-n", "160", "--no-display-prompt", "--no-escape"],
      ...["-p", prompt],
    ]);
    expect(out).toBe(text);
    expect(err).toMatch(
      /^21 prompt tokens in .* s, 160 tokens at .*\/s on CPU \(WebAssembly SIMD\)\n$/,
    );
    expect(code).toBe(0);
  });

  it("shows the prompt, stops at a text, and takes a file", async () => {
    const file = path.join(folder, "prompt.txt");
    writeFileSync(file, "Once upon a time\n");
    const options = ["--temp", "0", "-n", "30", "-r", ".", "--no-perf"];
    const { out, err, code } = await run(["complete", ...cpu, "-f", file, ...options]);
    expect(out).toMatch(/^Once upon a time[^.]+$/);
    expect(err).toBe("");
    expect(code).toBe(0);
  });

  it("gives answers the form of a grammar or a schema, and says what cannot be read", async () => {
    const [gbnf, json] = ["form.gbnf", "form.json"].map((name) => path.join(folder, name));
    writeFileSync(gbnf, 'root ::= ("yes" | "no") "!"\n');
    writeFileSync(json, '{"enum": [{"fox": 12}, {"wolf": 12}]}');
    const asked = [
      "complete",
      ...cpu,
      "-p",
      "Once",
      "-n",
      "40",
      "--no-display-prompt",
      "--no-perf",
    ];
    const runs: [flags: string[], out: RegExp, err: RegExp, code: number][] = [
      [["--grammar-file", gbnf], /^(yes|no)!$/, /^$/, 0],
      [["--json-schema-file", json], /^\{\s*"(fox|wolf)":\s*12\s*\}$/, /^$/, 0],
      [["--grammar", "root ::= ("], /^$/, /Cannot read the grammar/, 1],
    ];
    for (const [flags, ...said] of runs) {
      const { out, err, code } = await run([...asked, ...flags]);
      const [text, error] = said.slice(0, 2).map((one) => expect.stringMatching(one as RegExp));
      expect([out.trim(), err, code]).toEqual([text, error, said[2]]);
    }
  });

  it("ends with 130 at Ctrl-C", async () => {
    const args = ["complete", ...cpu, "-p", "Once", "--ignore-eos", "-n", "400"];
    const { code, out } = await run(args, "", (child) => child.kill("SIGINT"));
    expect(code).toBe(130);
    expect(out).toContain("Once");
  });
});

describe("webgguf chat", () => {
  it("answers line after line from a pipe, and knows its commands", async () => {
    const saved = path.join(folder, "chat.json");
    const input = `What is 7 + 5?\n/save ${saved}\n/clear\nWhat is \\\n7 + 5?\n/exit\nnever\n`;
    const { out, code } = await run(["chat", ...cpu, "--simple-io", "--temp", "0"], input);
    expect(out).toContain("7 + 5 = 12.\n");
    expect(code).toBe(0);
    expect(JSON.parse(readFileSync(saved, "utf8"))).toEqual([
      { role: "user", content: "What is 7 + 5?" },
      { role: "assistant", content: "7 + 5 = 12." },
    ]);
  });

  it("leaves out the oldest turns when the context is full, unless told not to", async () => {
    const question = "What is 7 + 5?\n".repeat(3);
    const args = ["chat", ...cpu, "--temp", "0", "-c", "40", "--simple-io"];
    const { out, err, code } = await run(args, question);
    expect(out).toBe("7 + 5 = 12.\n".repeat(3));
    expect(err).toBe(
      "The context of 40 tokens is full: 2 earlier messages are left out (--no-context-shift does not).\n" +
        "The context of 40 tokens is full: 4 earlier messages are left out (--no-context-shift does not).\n",
    );
    expect(code).toBe(0);
  });

  it("keeps the conversation when an answer fails", async () => {
    const file = path.join(folder, "kept.json");
    const { out, err, code } = await run(
      ["chat", ...cpu, "--temp", "0", "-c", "40", "--simple-io", "--no-context-shift"],
      `What is 7 + 5?\nWhat is 7 + 5?\n/regen\n/save\n/save ${file}\n`,
    );
    expect(out).toBe("7 + 5 = 12.\n");
    expect(err.match(/\[context\/overflow\]/g)?.length).toBe(2);
    expect(err).toContain("or give a larger -c");
    expect(err).not.toContain("contextLength");
    expect(err).toContain("/save wants the name of a file");
    const roles = (JSON.parse(readFileSync(file, "utf8")) as { role: string }[]).map((m) => m.role);
    expect(roles).toEqual(["user", "assistant", "user"]);
    expect(code).toBe(1);
  });

  it("shows special tokens if asked to", async () => {
    const args = ["chat", ...cpu, "--temp", "0", "--simple-io", "-sp"];
    expect((await run(args, "What is 7 + 5?\n")).out).toBe("7 + 5 = 12.<|im_end|>\n");
  });

  it("answers once with -st", async () => {
    const args = ["chat", ...cpu, "-p", "What is 7 + 5?", "-st", "--temp", "0", "--simple-io"];
    const { out, code } = await run(args);
    expect(out).toBe("7 + 5 = 12.\n");
    expect(code).toBe(0);
  });

  it("goes on after Ctrl-C in an answer", async () => {
    let sent = false;
    const args = ["chat", ...cpu, "--simple-io", "--temp", "0", "--ignore-eos"];
    const { out, code } = await run(args, "keep open: Tell me a story.\n", (child) => {
      if (sent) return;
      sent = true;
      child.kill("SIGINT");
      setTimeout(() => child.stdin?.end("/exit\n"), 200);
    });
    expect(out.length).toBeGreaterThan(0);
    expect(code).toBe(0);
  });
});

describe("the other commands", () => {
  it("inspect prints metadata and tensors, and JSON", async () => {
    const table = await run(["inspect", "-m", MODEL]);
    expect(table.out).toContain('general.architecture = "qwen3"');
    expect(table.out).toMatch(/token_embd\.weight +Q8_0 +256 × 1024/);
    const json = JSON.parse((await run(["inspect", "-m", MODEL, "--json"])).out);
    expect(json.metadata["qwen3.block_count"]).toBe(4);
    expect(json.tensors.length).toBe(46);
  });

  it("inspect does not contradict itself about a context longer than the model's", async () => {
    const { out, err } = await run(["inspect", MODEL, "--device", "cpu", "--memory", "-c", "9999"]);
    expect(out).toContain("context 9999; fits");
    expect(out).not.toContain("the largest context");
    expect(err).toContain("made for a context of 512 tokens");
  });

  it("take llama.cpp's flags along with one notice, and a file without -m", async () => {
    const carried =
      "-tb 4 -fa on --mlock --no-mmap --color --no-warmup -b 64 -sm none -ngl 0".split(" ");
    const { out, err, code } = await run([
      ...["complete", MODEL, "-p", "Once", "-n", "1", "--temp", "0", "--no-perf"],
      ...carried,
    ]);
    expect(out).toBe("Once up");
    expect(err).toBe(
      "Without effect here: -tb, -fa, --mlock, --no-mmap, --color, --no-warmup, -sm\n",
    );
    expect(code).toBe(0);
  });

  it("inspect tells the memory that a context takes", async () => {
    const { out } = await run(["inspect", "-m", MODEL, "--memory", "-c", "256", "--json"]);
    const report = JSON.parse(out);
    expect(report.contextLength).toBe(256);
    expect(report.total).toBe(report.owners.weights + report.owners.cache + report.owners.arena);
    expect(report.fits).toBe(true);
  });

  it("tokenize prints ids of text and of standard input, byte for byte", async () => {
    const args = ["tokenize", "-m", MODEL, "--ids"];
    expect((await run([...args, "-p", "Hello, world!"])).out).toBe("[805, 11, 572, 398, 0]\n");
    expect((await run([...args, "--stdin"], "Hello, world!")).out).toBe("[805, 11, 572, 398, 0]\n");
    const special = await run([...args, "-p", "a<|endoftext|>b"]);
    expect(special.out).toBe("[64, 1021, 65]\n");
    const plain = await run([...args, "-p", "a<|endoftext|>b", "--no-parse-special"]);
    expect(plain.out).toBe("[64, 27, 91, 487, 78, 606, 68, 718, 91, 29, 65]\n");
  });

  it("logits writes floats that choose the greedy token", async () => {
    const file = path.join(folder, "out.f32");
    const { code } = await run([
      ...["logits", ...cpu, "--tokens", "1022,319,198", "-o", file, "-ctk", "f32", "-ctv", "f32"],
    ]);
    expect(code).toBe(0);
    expect(readFileSync(file).length).toBe(3 * 1024 * 4);
  });

  it("quantize writes the file that llama-quantize writes", async () => {
    const tiny = (name: string): string => path.join(root, "test/fixtures/tiny-model", name);
    const small = path.join(folder, "small.gguf");
    const { code, out } = await run(["quantize", tiny("webgguf-tale-f16.gguf"), small, "q4_k_m"]);
    expect(code).toBe(0);
    expect(out).toContain("(5.06 bits a weight)");
    const [own, its] = [small, tiny("webgguf-tale-q4_k_m.gguf")].map((name) => readFileSync(name));
    expect(own.equals(its)).toBe(true);
  });

  it("perplexity agrees with llama.cpp's", async () => {
    const fixture = (name: string) =>
      readFileSync(path.join(root, "test/fixtures/tiny-model", name), "utf8");
    const { nll } = JSON.parse(fixture("perplexity.json")).files["webgguf-tale-q8_0.gguf"];
    // The first two chunks of 256 tokens, of each of which 127 are counted; what is left over is not.
    const text = path.join(folder, "text.txt");
    writeFileSync(text, fixture("heldout.txt").slice(0, 2_700));
    const { out } = await run(["perplexity", ...cpu, "-f", text, "-c", "256"]);
    const counted: readonly number[] = nll.slice(0, 3 * 127);
    const wanted = Math.exp(counted.reduce((sum, one) => sum + one, 0) / counted.length);
    const [, value] = /PPL = ([\d.]+) /.exec(out) ?? [];
    expect(Math.abs(Number(value) / wanted - 1)).toBeLessThan(1e-3);
  });

  it("explain prints a plan with its kernels", async () => {
    const { out, code } = await run(["explain", "-m", MODEL, "--json"]);
    expect(code).toBe(0);
    const { plans, fusions } = JSON.parse(out);
    expect(plans[0].rows).toBe(1);
    expect(plans[0].dispatches.length).toBeGreaterThan(10);
    expect(fusions.length).toBeGreaterThan(3);
  });

  it("devices says what will be used", async () => {
    const report = JSON.parse((await run(["devices", "--json"])).out);
    expect(report.verdict.length).toBeGreaterThan(10);
    const threads = Math.floor(os.availableParallelism() / 2);
    const more = threads > 1 ? `, up to ${Math.min(64, threads)} threads` : "";
    expect(report.cpu).toBe(`CPU (WebAssembly SIMD)${more}`);
    expect(report.facts.runtime).toContain("node");
  });
});

describe("the command line", () => {
  it("leads its help with examples", async () => {
    const { out, code } = await run(["--help"]);
    expect(out.indexOf("Examples")).toBeLessThan(out.indexOf("Commands"));
    expect(code).toBe(0);
    const own = await run(["complete", "--help"]);
    expect(own.out.indexOf("Examples")).toBeLessThan(own.out.indexOf("Flags"));
  });

  it("tells the package's version", async () => {
    expect((await run(["--version"])).out).toBe(`${packageJson.version}\n`);
  });

  it.each([
    [["compleet"], 2, "did you mean complete?"],
    [["complete", "--tmep", "0"], 2, "did you mean --temp?"],
    [["complete", "-p", "x"], 2, "The model is missing"],
    [["complete", "-m", MODEL], 2, "A prompt is missing"],
    [["complete", MODEL, "-p", "Once", "upon"], 2, 'What is "upon"?'],
    [["complete", "-hf", "some", "-p", "x"], 2, "is no USER/REPO"],
    [
      ["complete", "-hf", "a/b", "-m", "x.gguf", "-p", "x"],
      2,
      "-m, -hf and -mu exclude each other",
    ],
    [["complete", "-hff", "x.gguf", "-p", "x"], 2, "-hff FILE needs -hf USER/REPO"],
    [["complete", "-hf", "no/where-GGUF", "--offline", "-p", "x"], 1, "[source/not-found]"],
    [["chat", "-m", MODEL, "--chat-template-kwargs", "[1]"], 2, "wants a JSON object, not [1]"],
    [["perplexity", "-m", MODEL, "-p", "x", "-c", "2"], 2, "-c is at least 3"],
    [["imatrix", "-p", "x"], 2, "Give -m MODEL and -f TEXT"],
    [["imatrix", ...cpu, "-p", "x"], 2, "give at least 1024"],
    [["quantize", MODEL], 2, "webgguf quantize IN [OUT] TYPE"],
    [["quantize", MODEL, "x.gguf"], 2, "The type is missing"],
    [["quantize", MODEL, "Q4_0", "--tensor-type", "=q8_0"], 2, "wants RE=TYPE"],
    [["quantize", MODEL, "--dry-run", "Q4_0"], 2, "quantised already"],
    [["complete", "-m", "nowhere.gguf", "-p", "x"], 1, "nowhere.gguf"],
    [["complete", "-m", "package.json", "-p", "x", "--device", "cpu"], 1, "[gguf/malformed]"],
  ])("%j ends with %i and one line", async (args, code, text) => {
    const ended = await run(args);
    expect(ended.err).toContain(text);
    expect(ended.err.trimEnd().split("\n").length).toBe(1);
    expect(ended.out).toBe("");
    expect(ended.code).toBe(code);
  });

  it("shows where an error comes from if asked to", async () => {
    const { err } = await run(["inspect", "-m", "nowhere.gguf", "-v"]);
    expect(err).toContain("    at ");
  });
});
