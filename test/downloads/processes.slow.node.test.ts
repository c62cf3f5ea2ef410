/** Whole processes that get models, in Node and Deno: killed, two at a time, over slow lines, onto full disks. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, openSync, readdirSync, readSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writeModelFile } from "../../bench/model-file.ts";
import { type ModelShape, writeRandomModel } from "../../bench/models.ts";
import { root } from "../checks/sources.ts";
import { random } from "../fuzz/mutate.ts";
import { denoCommand, denoThere } from "../run/deno.mjs";
import { type FakeFile, type FakeHub, fakeFile, fakeHub, repoOf } from "./fake-hub.ts";
import { fixtureModel, MIB, noise, temporaryFolder } from "./kit.ts";

const runtimes = denoThere() ? (["node", "deno"] as const) : (["node"] as const);
type Runtime = (typeof runtimes)[number];

interface Line {
  readonly loaded?: number;
  readonly notice?: string;
  readonly pulled?: { readonly path: string; readonly bytes: number };
  readonly weights?: number;
  readonly after?: number;
  readonly took?: number;
  readonly over?: number;
  readonly code?: string;
}

const children = new Set<ChildProcess>();
const hubs = new Set<FakeHub>();
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const hub of hubs) await hub.close();
});

async function hubOf(files: Record<string, FakeFile>): Promise<FakeHub> {
  const hub = await fakeHub({ "user/model": repoOf(files) });
  hubs.add(hub);
  return hub;
}

/** Starts a process; `lines` fills as it speaks. */
function start(
  runtime: Runtime,
  what: "pull" | "load",
  hub: FakeHub,
  folder: string,
): { child: ChildProcess; lines: Line[]; ended: Promise<Line[]> } {
  const command =
    runtime === "node"
      ? [process.execPath, "--import", "tsx"]
      : [...denoCommand, "run", "-A", "--no-check", "--quiet", "--node-modules-dir=manual"];
  const child = spawn(
    command[0],
    [...command.slice(1), "test/downloads/child.ts", what, "hf:user/model"],
    {
      cwd: root,
      env: {
        ...process.env,
        LLAMA_CACHE: `${folder}/hub`,
        XDG_CACHE_HOME: `${folder}/own`,
        HF_ENDPOINT: hub.endpoint,
        NO_COLOR: "1",
      },
      // A killed launcher must not leave the one that it started.
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  children.add(child);
  const lines: Line[] = [];
  let rest = "";
  child.stdout!.on("data", (data) => {
    rest += data;
    const whole = rest.split("\n");
    rest = whole.pop()!;
    for (const line of whole) lines.push(JSON.parse(line));
  });
  const ended = new Promise<Line[]>((resolve) =>
    child.on("close", () => {
      children.delete(child);
      resolve(lines);
    }),
  );
  return { child, lines, ended };
}

const kill = ({ pid }: ChildProcess): void => {
  try {
    process.kill(-pid!, "SIGKILL");
  } catch {
    // It had ended.
  }
};

const last = <K extends keyof Line>(lines: readonly Line[], key: K): Line[K] =>
  lines.findLast((line) => line[key] !== undefined)?.[key];

function fileDigest(path: string): string {
  return fileOnDisk(path).sha256;
}

/** A file that is not held in memory. */
function fileOnDisk(path: string): FakeFile {
  const handle = openSync(path, "r");
  const { size } = statSync(path);
  const bytes = (from: number, to: number): Uint8Array => {
    const into = new Uint8Array(to - from);
    readSync(handle, into, 0, into.length, from);
    return into;
  };
  const hash = createHash("sha256");
  for (let at = 0; at < size; at += 4 * MIB) hash.update(bytes(at, Math.min(size, at + 4 * MIB)));
  return { size, sha256: hash.digest("hex"), bytes };
}

const shape: ModelShape = {
  ...{ architecture: "llama", layers: 44, width: 128, heads: 4, kvHeads: 4, headWidth: 32 },
  ...{ feedForward: 256, vocabulary: 2048, tied: false, context: 256 },
  ...{ ropeBase: 10000, epsilon: 1e-5 },
};

/** The model of a gigabyte, written once. */
let large: Promise<FakeFile> | undefined;

describe.each(runtimes)("in %s", (runtime) => {
  const content = noise(40 * MIB + 5, 17);
  const { sha256 } = fakeFile(content);

  it("processes that are killed lose at most a window each, and the file ends bit-exact", async () => {
    const hub = await hubOf({ "x-Q8_0.gguf": fakeFile(content) });
    const below = random(runtime === "node" ? 1 : 2);
    for (let round = 0; round < 2; round++) {
      const folder = temporaryFolder();
      hub.sent = 0;
      let kills = 0;
      for (let i = 0; i < 3; i++) {
        hub.faults = { rate: 40 * MIB, cuts: [below(4 * MIB), undefined, below(4 * MIB)] };
        const { child, lines, ended } = start(runtime, "pull", hub, folder);
        const most = below(content.length);
        const timer = setInterval(() => {
          if ((last(lines, "loaded") ?? 0) < most) return;
          kill(child);
          kills++;
          clearInterval(timer);
        }, 5);
        await ended;
        clearInterval(timer);
      }
      hub.faults = {};
      const lines = await start(runtime, "pull", hub, folder).ended;
      const { path } = last(lines, "pulled")!;
      expect(fileDigest(path)).toBe(sha256);
      expect(hub.sent - content.length).toBeLessThanOrEqual(kills * 16 * MIB + 100);
      const left = readdirSync(folder, { recursive: true, encoding: "utf8" });
      expect(
        left.filter((name) => /webgguf(\.json|\.lock)?$/.test(name) && name.includes("blobs")),
      ).toEqual([]);
    }
  });

  it("two processes fetch once", async () => {
    const hub = await hubOf({ "x-Q8_0.gguf": fakeFile(content) });
    hub.faults = { rate: 30 * MIB };
    const folder = temporaryFolder();
    const other = runtimes.at(-1)!;
    const both = [start(runtime, "pull", hub, folder), start(other, "pull", hub, folder)];
    for (const { ended } of both)
      expect(last(await ended, "pulled")).toMatchObject({ bytes: content.length });
    expect(hub.sent).toBeLessThan(content.length + 100);
  });

  it("a model of 400 tensors over 200 ms of latency takes few requests and little longer than its bytes", async () => {
    const bytes = await writeRandomModel({ shape });
    const hub = await hubOf({ "x-Q8_0.gguf": fakeFile(bytes) });
    hub.faults = { latency: 200, rate: 8 * MIB };
    const lines = await start(runtime, "load", hub, temporaryFolder()).ended;
    expect(last(lines, "weights")).toBeGreaterThan(0);
    expect(hub.requests.length).toBeLessThanOrEqual(20);
    const transfer = (1000 * bytes.length) / (8 * MIB);
    expect(last(lines, "took")! - transfer).toBeLessThan(3000);
  });

  it("the digest is there at most a second after the last byte", async () => {
    const quarter = noise(256 * MIB, 3);
    const hub = await hubOf({ "x-Q8_0.gguf": fakeFile(quarter) });
    hub.faults = { rate: 60 * MIB };
    const lines = await start(runtime, "pull", hub, temporaryFolder()).ended;
    expect(last(lines, "pulled")?.bytes).toBe(quarter.length);
    expect(last(lines, "after")).toBeLessThan(1000);
  });

  it("a model of a gigabyte is loaded as it comes, with at most 100 MB over its weights", async () => {
    const folder = temporaryFolder();
    const wide = {
      ...shape,
      layers: 24,
      width: 2048,
      heads: 16,
      headWidth: 128,
      kvHeads: 16,
      feedForward: 5120,
    };
    const file = path.join(temporaryFolder(), "large.gguf");
    large ??= writeModelFile(file, { shape: wide, type: "q8_0" }).then(() => fileOnDisk(file));
    expect((await large).size).toBeGreaterThan(1e9);
    const hub = await hubOf({ "x-Q8_0.gguf": await large });
    const lines = await start(runtime, "load", hub, folder).ended;
    const weights = last(lines, "weights")!;
    expect(weights).toBeGreaterThan(1e9);
    const [{ after }] = lines.filter((line) => line.took !== undefined);
    expect(after).toBeLessThan(1000);
    console.log(
      `${runtime}: ${((last(lines, "over")! - weights) / 1e6).toFixed(0)} MB over the weights`,
    );
    expect(last(lines, "over")! - weights).toBeLessThan(100e6);
  });

  it.skipIf(process.getuid?.() !== 0)(
    "a full disk stops no load, and keeps nothing by half",
    async () => {
      const place = path.join(temporaryFolder(), "small");
      mkdirSync(place);
      const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", place]);
      // Containers may not mount.
      if (mounted.status !== 0) return console.log(`NOT RUN: ${mounted.stderr}`);
      try {
        const model = await fixtureModel();
        // The model, with bytes behind its tensors that nobody reads.
        const padded = new Uint8Array(content.length);
        padded.set(content);
        padded.set(model);
        const hub = await hubOf({ "x-Q8_0.gguf": fakeFile(padded) });
        // Full before it begins, and while it goes on.
        for (const when of ["before", "meanwhile"]) {
          hub.faults = when === "before" ? {} : { rate: 20 * MIB };
          if (when === "before") writeFileSync(`${place}/filler`, noise(20 * MIB));
          else writeFileSync(`${place}/filler`, "");
          const { child, ended, lines } = start(runtime, "load", hub, place);
          if (when === "meanwhile") {
            while ((last(lines, "loaded") ?? 0) < 6 * MIB && child.exitCode === null)
              await new Promise((resolve) => setTimeout(resolve, 10));
            writeFileSync(`${place}/filler`, noise(32 * MIB));
          }
          await ended;
          expect(last(lines, "weights")).toBeGreaterThan(0);
          expect(lines.map(({ notice }) => notice).join()).toContain("Not keeping");
          const left = readdirSync(`${place}/hub`, { recursive: true, encoding: "utf8" });
          expect(left.filter((name) => /blobs\/.|snapshots\/.*gguf/.test(name))).toEqual([]);
        }
      } finally {
        spawnSync("umount", [place]);
      }
    },
  );
});
