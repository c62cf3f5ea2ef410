/** Two servers behind the guide's haproxy: a conversation stays with one, and one that dies is missed by nobody. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { root } from "../checks/sources.ts";

const script = path.join(root, "scripts/haproxy.sh");
const there = spawnSync("bash", [script, "-v"], { encoding: "utf8" }).status === 0;
if (!there) console.log("NOT RUN: haproxy is not installed and cannot be fetched here");
const folder = mkdtempSync(path.join(tmpdir(), "webgguf-haproxy-"));
const running: (() => void)[] = [];
afterAll(() => {
  for (const stop of running) stop();
  rmSync(folder, { recursive: true, force: true });
});

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address!.port : 0));
    });
  });
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (await holds().catch(() => false)) return;
    await later(50);
  }
  throw new Error("It does not come");
}

function run(program: string, ...args: string[]): (signal: NodeJS.Signals) => void {
  const child = spawn(program, args, { cwd: root, stdio: "ignore", detached: true });
  let over = false;
  child.on("close", () => {
    over = true;
  });
  const stop = (signal: NodeJS.Signals): void => {
    if (!over) process.kill(-child.pid!, signal);
  };
  running.push(() => stop("SIGKILL"));
  return stop;
}

describe.skipIf(!there)("behind haproxy", () => {
  it("a conversation stays with its server; when one is killed no request fails", async () => {
    const [front, ...ports] = await Promise.all([freePort(), freePort(), freePort()]);
    const model = ["-m", "models/webgguf-tale-q8_0.gguf", "--device", "cpu"];
    const node = ["--import", "tsx", "cli/main.ts", "serve", ...model];
    const stops = ports.map((port) =>
      run(process.execPath, ...node, "--port", String(port), "-a", `at-${port}`),
    );
    const guide = readFileSync(path.join(root, "docs/server.md"), "utf8");
    const config = /```haproxy\n([\s\S]*?)```/.exec(guide)![1];
    const file = path.join(folder, "haproxy.cfg");
    const own = config.replace("9930", String(front)).replace("9931", String(ports[0]));
    writeFileSync(file, own.replace("9932", String(ports[1])));
    await until(async () =>
      (await Promise.all(ports.map((port) => fetch(`http://127.0.0.1:${port}/health`)))).every(
        ({ ok }) => ok,
      ),
    );
    run("bash", script, "-db", "-f", file);
    const url = `http://127.0.0.1:${front}`;
    await until(async () => (await fetch(`${url}/health`)).ok);
    /** The server that answers a conversation, by its own name in the answer. */
    const ask = async (conversation: string): Promise<string> => {
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "x-conversation-id": conversation },
        body: JSON.stringify({
          ...{ messages: [{ role: "user", content: "What is 7 + 5?" }], temperature: 0 },
        }),
      });
      const text = await answer.text();
      expect(text).toMatch(/^\{/);
      const { choices, model } = JSON.parse(text);
      expect(choices[0].message.content).toBe("7 + 5 = 12.");
      return model;
    };
    const names = Array.from({ length: 12 }, (_, i) => `conversation-${i}`);
    const homes: string[] = [];
    for (const name of names) homes.push(await ask(name));
    expect(new Set(homes).size).toBe(2);
    for (const [i, name] of names.entries()) expect(await ask(name)).toBe(homes[i]);
    // Some are under way when one server is killed: what has not begun to answer goes to the other.
    const others = names.map(ask);
    stops[0]("SIGKILL");
    expect(await Promise.all(others)).toHaveLength(names.length);
    await later(2500);
    const left = `at-${ports[1]}`;
    for (const [i, name] of names.entries()) {
      const home = await ask(name);
      expect(home).toBe(left);
      // Consistent hashing: whom the dead one did not serve stays where it was.
      if (homes[i] === left) expect(home).toBe(homes[i]);
    }
  }, 120_000);
});
