/** The commands over a hub on this machine: pull, ls, verify, fit, rm, and a model by llama.cpp's flags. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomModel, shapes } from "../../bench/models.ts";
import { ggufHeader } from "../../src/gguf/write.ts";
import { root } from "../checks/sources.ts";
import { type FakeFile, type FakeHub, fakeFile, fakeHub, repoOf } from "./fake-hub.ts";
import { fixtureModel, MIB, noise, temporaryFolder } from "./kit.ts";

/** A model of which there is nothing but its header: more than any machine's memory. */
function headerOf(layers: number): FakeFile {
  const shape = { ...shapes["llama-3-8b"], layers, vocabulary: 4096 };
  const { bytes, size } = ggufHeader(randomModel({ shape, type: "f16" }));
  return {
    size,
    sha256: "5".repeat(64),
    bytes(from, to) {
      const into = new Uint8Array(to - from);
      into.set(bytes.subarray(from, to));
      return into;
    },
  };
}

const folder = temporaryFolder();
let hub: FakeHub;
beforeAll(async () => {
  hub = await fakeHub({
    "user/tale-GGUF": repoOf({
      "huge-F16.gguf": headerOf(400),
      "noise-Q4_0.gguf": fakeFile(noise(3 * MIB)),
      "tale-Q8_0.gguf": fakeFile(await fixtureModel()),
    }),
  });
});
afterAll(() => hub.close());

async function run(...args: string[]): Promise<{ out: string; err: string; code: number | null }> {
  hub.requests.length = 0;
  hub.sent = 0;
  const child = spawn(process.execPath, ["--import", "tsx", "cli/main.ts", ...args], {
    cwd: root,
    env: {
      ...process.env,
      HF_HOME: `${folder}/hf`,
      LLAMA_CACHE: "",
      HF_HUB_CACHE: "",
      HUGGINGFACE_HUB_CACHE: "",
      XDG_CACHE_HOME: `${folder}/xdg`,
      HF_ENDPOINT: hub.endpoint,
    },
  });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.on("data", (data) => out.push(String(data)));
  child.stderr.on("data", (data) => err.push(String(data)));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { out: out.join(""), err: err.join(""), code };
}

describe("the commands", () => {
  it("tell what fits before anything is fetched", async () => {
    const { out, code } = await run("fit", "hf:user/tale-GGUF", "--device", "cpu", "--json");
    expect(code).toBe(0);
    const rows = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows.map(({ reference }) => reference.replace(/.*\/|@.*/g, ""))).toEqual([
      "huge-F16.gguf",
      "noise-Q4_0.gguf",
      "tale-Q8_0.gguf",
    ]);
    const [huge, broken, tale] = rows;
    expect(huge).toMatchObject({ fits: false, largestContext: 0 });
    expect(huge.needs).toBeGreaterThan(huge.has);
    expect(broken).toMatchObject({ fits: false, problem: expect.stringContaining("GGUF") });
    expect(tale).toMatchObject({ fits: true, bytes: (await fixtureModel()).length });
    expect(tale.tokensPerSecond).toBeGreaterThan(1);
    // At most 8 MiB of each, and nothing kept.
    expect(hub.sent).toBeLessThan(3 * 8 * MIB);
    const text = await run("fit", "hf:user/tale-GGUF", "--device", "cpu");
    expect(text.out).toMatch(/huge-F16\.gguf .*does not fit: needs [\d.]+ GiB, has [\d.]+ GiB/);
    expect(text.out).toMatch(/tale-Q8_0\.gguf .* fits$/m);
    expect((await run("ls", "--json")).out).toContain('"models":[]');
  });

  it("fetch once, check, list, use and remove", async () => {
    const pulled = await run("pull", "-hf", "user/tale-GGUF:q8_0");
    expect(pulled.code).toBe(0);
    expect(readFileSync(pulled.out.trim()).length).toBe((await fixtureModel()).length);
    expect(pulled.out).toContain("/hf/hub/models--user--tale-GGUF/snapshots/");
    const used = await run(
      ...["complete", "-hf", "user/tale-GGUF", "-hff", "tale-Q8_0.gguf", "-p", "Once", "-n", "3"],
      ...["--temp", "0", "--device", "cpu", "--no-perf", "--offline"],
    );
    expect([used.code, used.err, hub.requests]).toEqual([0, "", []]);
    expect(used.out.length).toBeGreaterThan(5);
    expect((await run("ls")).out).toMatch(/hf:user\/tale-GGUF\/tale-Q8_0\.gguf +1\.9 MiB +0123456/);
    const verified = await run("verify", "hf:user/tale-GGUF:Q8_0");
    expect([verified.code, verified.err]).toEqual([0, expect.stringContaining("right")]);
    const wrong = await run("verify", pulled.out.trim(), "--sha256", "0".repeat(64));
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining("wrong")]);
    const removed = await run("rm", "hf:user/tale-GGUF:Q8_0");
    expect([removed.code, removed.err]).toEqual([0, "1.9 MiB freed\n"]);
    expect((await run("rm", "hf:user/tale-GGUF:Q8_0")).code).toBe(1);
  });
});
