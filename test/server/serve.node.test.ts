/** The command itself, over sockets, in Node and in Deno: what the guide shows, stopping, wrong use. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { withRoutes } from "../../scripts/server-docs.ts";
import { buildInto } from "../checks/built.ts";
import { root } from "../checks/sources.ts";
import { fakeFile, fakeHub, repoOf } from "../downloads/fake-hub.ts";
import { denoCommand, denoThere } from "../run/deno.mjs";
import { eventsOf } from "./app.ts";

const MODEL = "models/webgguf-tale-q8_0.gguf";
const folder = mkdtempSync(path.join(tmpdir(), "webgguf-serve-"));
const built = path.join(folder, "built");
buildInto(built);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const runtimes: [string, string[]][] = [
  ["Node", [process.execPath, path.join(built, "cli/main.js")]],
];
if (denoThere())
  runtimes.push([
    "Deno",
    [
      ...denoCommand,
      ...["run", "-A", "--quiet", "--no-check", "--node-modules-dir=manual", "cli/main.ts"],
    ],
  ]);

interface Server {
  readonly url: string;
  readonly stop: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<{ code: number | null; out: string; err: string }>;
}

function start(command: readonly string[], args: readonly string[], env = {}): Server {
  const child = spawn(command[0], [...command.slice(1), "serve", ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1", ...env },
    detached: true,
  });
  let [out, err] = ["", ""];
  child.stdout!.on("data", (data) => {
    out += data;
  });
  child.stderr!.on("data", (data) => {
    err += data;
  });
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.on("close", (code) => resolve({ code, out, err })),
  );
  return {
    // The packaged Deno is a child of the command that starts it.
    stop: (signal) => process.kill(-child.pid!, signal),
    ended,
    get url() {
      return out.trim();
    },
  };
}

async function ready(server: Server): Promise<string> {
  for (;;) {
    if (/^http:\S+$/.test(server.url)) return server.url;
    const ended = await Promise.race([
      server.ended,
      new Promise<undefined>((resolve) => setTimeout(resolve, 50)),
    ]);
    if (ended) throw new Error(`The server ended: ${ended.err}`);
  }
}

/** What a program says. */
async function output(
  program: string,
  args: readonly string[],
  input = "",
): Promise<{ stdout: string; status: number | null }> {
  const child = spawn(program, args, { cwd: root, env: { ...process.env, NO_COLOR: "1" } });
  let stdout = "";
  child.stdout.on("data", (data) => {
    stdout += data;
  });
  child.stdin.end(input);
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { stdout, status };
}
const curlThere = spawnSync("curl", ["--version"]).status === 0;

const chat = (url: string, body: object, init: RequestInit = {}): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(body), ...init });
const messages = [{ role: "user", content: "What is 7 + 5?" }];
const story = {
  ...{ messages: [{ role: "user", content: "Tell me a story." }], stream: true },
  ...{ temperature: 0, max_tokens: 200, ignore_eos: true },
};

it("docs/server.md has the table of the routes", () => {
  const text = readFileSync(path.join(root, "docs/server.md"), "utf8");
  expect(withRoutes(text)).toBe(text);
});

describe.each(runtimes)("webgguf serve in %s", (name, command) => {
  it("answers the guide's requests, streams, and ends streams properly when it is stopped", async () => {
    const server = start(command, ["-m", MODEL, "--device", "cpu", "--port", "0"]);
    const url = await ready(server);
    const guide = readFileSync(path.join(root, "docs/server.md"), "utf8");
    const lines = [...guide.matchAll(/^curl http:\/\/127\.0\.0\.1:9931(\S+) -d '(.*)'$/gm)];
    expect(lines.length).toBeGreaterThan(0);
    for (const [, path, body] of lines) {
      const answer = await fetch(url + path, { method: "POST", body });
      expect(answer.status).toBe(200);
      expect((await answer.json()).choices[0].message.content).toBe("7 + 5 = 12.");
    }
    const local = (text: string): string => text.replaceAll("http://127.0.0.1:9931", url);
    // The README's lines as they stand there, and the guide's programs.
    const readme = readFileSync(path.join(root, "README.md"), "utf8");
    const commands = [...readme.matchAll(/^curl .*$/gm)].map(([line]) => local(line));
    expect(commands.length).toBeGreaterThan(2);
    for (const line of name === "Node" && curlThere ? commands : []) {
      const { stdout, status } = await output("bash", ["-c", line]);
      expect([status, stdout]).toEqual([0, expect.stringMatching(/"(choices|data)":/)]);
    }
    const fence = name === "Node" ? "client" : "deno";
    const program = local(new RegExp(`\\n\`\`\`js ${fence}\\n([\\s\\S]*?)\`\`\``).exec(guide)![1]);
    const { stdout } = await (name === "Node"
      ? output(process.execPath, ["--input-type=module", "-e", program])
      : output(denoCommand[0], [...denoCommand.slice(1), "run", "-A", "--quiet", "-"], program));
    expect(stdout.trim()).toBe("7 + 5 = 12.");
    const streamed = eventsOf(
      await (await chat(url, { messages, stream: true, temperature: 0 })).text(),
    );
    expect(streamed.map(({ data }) => data.choices?.[0]?.delta.content ?? "").join("")).toBe(
      "7 + 5 = 12.",
    );
    // A client that leaves: the slots are free again.
    const leaving = new AbortController();
    const left = await chat(url, story, { signal: leaving.signal });
    await left.body!.getReader().read();
    leaving.abort();
    const busy = async (): Promise<number> =>
      ((await (await fetch(`${url}/slots`)).json()) as { is_processing: boolean }[]).filter(
        (slot) => slot.is_processing,
      ).length;
    for (let i = 0; i < 200 && (await busy()) > 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await busy()).toBe(0);
    // And one that waits for a whole answer, far longer than the time until it is asked for again.
    const impatient = new AbortController();
    const whole = { ...story, stream: false, max_tokens: 480 };
    const waiting = chat(url, whole, { signal: impatient.signal }).catch(() => {});
    for (let i = 0; i < 200 && (await busy()) === 0; i++);
    impatient.abort();
    await waiting;
    const from = performance.now();
    while ((await busy()) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const stopped = performance.now() - from;
    const again = performance.now();
    await (await chat(url, whole)).text();
    expect(stopped).toBeLessThan((performance.now() - again) / 2);
    const running = await chat(url, story);
    const reader = running.body!.getReader();
    const first = await reader.read();
    server.stop("SIGTERM");
    let text = new TextDecoder().decode(first.value);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      text += new TextDecoder().decode(value);
    }
    expect(eventsOf(text).at(-1)!.data).toBe("[DONE]");
    const { code, err } = await server.ended;
    if (name === "Node") expect(code).toBe(0);
    expect(err.trim().split("\n").length, err).toBe(2);
  });
});

describe("webgguf serve", () => {
  const node = runtimes[0][1];
  const fails = async (args: readonly string[], env = {}): Promise<[number | null, string]> => {
    const { code, err } = await start(node, args, env).ended;
    return [code, err];
  };

  it("reads the environment, listens where it is told, and says when a port is taken", async () => {
    const env = { LLAMA_ARG_MODEL: MODEL, LLAMA_ARG_PORT: "0", LLAMA_API_KEY: "k1,k2" };
    const server = start(node, ["--device", "cpu"], env);
    const url = await ready(server);
    expect((await chat(url, { messages, max_tokens: 1 })).status).toBe(401);
    const key = { headers: { authorization: "Bearer k2" } };
    expect((await chat(url, { messages, max_tokens: 1 }, key)).status).toBe(200);
    const [code, err] = await fails(["-m", MODEL, "--device", "cpu", "--port", url.split(":")[2]]);
    expect([code, err]).toEqual([2, expect.stringContaining("another --port")]);
    server.stop("SIGINT");
    expect((await server.ended).code).toBe(0);
  });

  it("answers within 3 s of its start on the CPU path", async () => {
    // The best of some: other tests may have the machine.
    let taken = Infinity;
    for (let i = 0; i < 5 && taken >= 3000; i++) {
      const from = performance.now();
      const server = start(node, ["-m", MODEL, "--device", "cpu", "--port", "0"]);
      const answer = await chat(await ready(server), { messages, temperature: 0 });
      expect((await answer.json()).choices[0].message.content).toBe("7 + 5 = 12.");
      taken = Math.min(taken, performance.now() - from);
      server.stop("SIGTERM");
      await server.ended;
    }
    expect(taken).toBeLessThan(3000);
  });

  it("a folder of models, and a list of presets", async () => {
    const server = start(node, ["--models-dir", "models", "--device", "cpu", "--port", "0"]);
    const url = await ready(server);
    const { data } = await (await fetch(`${url}/v1/models`)).json();
    expect(
      data.map(({ id, status }: { id: string; status: object }) => [id, status]),
    ).toContainEqual(["webgguf-tale-q8_0", { value: "unloaded" }]);
    const answer = await chat(url, { model: "webgguf-tale-q8_0", messages, temperature: 0 });
    expect((await answer.json()).choices[0].message.content).toBe("7 + 5 = 12.");
    server.stop("SIGTERM");
    await server.ended;
  });

  it("without a model it serves the store, fetches into it, and removes from it", async () => {
    const tale = readFileSync(path.join(root, MODEL));
    const hub = await fakeHub({ "user/tale-GGUF": repoOf({ "tale-Q8_0.gguf": fakeFile(tale) }) });
    const none = { LLAMA_CACHE: "", HF_HUB_CACHE: "", HUGGINGFACE_HUB_CACHE: "" };
    const caches = { HF_HOME: path.join(folder, "hf"), XDG_CACHE_HOME: path.join(folder, "xdg") };
    const env = { ...none, ...caches, HF_ENDPOINT: hub.endpoint };
    const args = ["--device", "cpu", "--port", "0"];
    const server = start(node, args, env);
    const url = await ready(server);
    const list = async (of: string): Promise<{ id: string; status: { value: string } }[]> =>
      (await (await fetch(`${of}/v1/models`)).json()).data;
    expect(await list(url)).toEqual([]);
    const ask = (model: string): Promise<Response> =>
      fetch(`${url}/models`, { method: "POST", body: JSON.stringify({ model }) });
    for (const wrong of ["http://127.0.0.1/x.gguf", "/etc/passwd", "user/../x", "file:///x/y"])
      expect((await ask(wrong)).status).toBe(400);
    const id = "user/tale-GGUF:Q8_0";
    expect((await ask(id)).status).toBe(200);
    for (let i = 0; i < 500 && (await list(url))[0]?.status.value === "downloading"; i++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const answer = await chat(url, { model: id, messages, temperature: 0 });
    expect((await answer.json()).choices[0].message.content).toBe("7 + 5 = 12.");
    server.stop("SIGTERM");
    await server.ended;
    // The next server finds it in the store.
    const next = start(node, args, env);
    const again = await ready(next);
    const [kept, ...rest] = await list(again);
    expect(rest).toEqual([]);
    const gone = await fetch(`${again}/models?model=${encodeURIComponent(kept.id)}`, {
      method: "DELETE",
    });
    expect([gone.status, await list(again)]).toEqual([200, []]);
    next.stop("SIGTERM");
    await next.ended;
    hub.close();
  });

  it("wrong use is one line that says what to do", async () => {
    expect(await fails(["--models-dir", "nowhere"])).toEqual([
      2,
      expect.stringContaining("nowhere"),
    ]);
    expect(await fails(["-m", "no.gguf", "--port", "0"])).toEqual([
      1,
      expect.stringContaining("no.gguf"),
    ]);
    expect(await fails(["-m", MODEL, "-np", "0"])).toEqual([2, expect.stringContaining("-np")]);
  });
});
