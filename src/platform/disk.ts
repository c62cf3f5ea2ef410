/** Where Node and Deno keep models: the file system, through the modules of Node that both have. */
import { createHash, randomUUID } from "node:crypto";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import type { FileLock, Files, OpenedFile } from "./types.ts";

/** Milliseconds between signs of life of who holds a lock, and of silence after which it counts as gone. */
const BEAT = 1000;
const SILENCE = 10_000;

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code;

/** What `act` gives, or undefined where the file or folder is missing. */
async function unlessMissing<T>(act: Promise<T>): Promise<T | undefined> {
  try {
    return await act;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "")) return undefined;
    throw error;
  }
}

const env = (name: string): string | undefined => process.env[name] || undefined;

const home = (): string =>
  env(process.platform === "win32" ? "USERPROFILE" : "HOME") ?? os.homedir();

/** llama.cpp's variables for the hub's cache, in their order, each with what stands below it. */
function hubFolder(): string {
  const below: readonly (readonly [string, string])[] = [
    ["LLAMA_CACHE", ""],
    ["HF_HUB_CACHE", ""],
    ["HUGGINGFACE_HUB_CACHE", ""],
    ["HF_HOME", "hub"],
    ["XDG_CACHE_HOME", "huggingface/hub"],
  ];
  for (const [name, folder] of below) {
    const base = env(name);
    if (base) return path.join(base, folder);
  }
  return path.join(home(), ".cache/huggingface/hub");
}

function ownFolder(): string {
  const local = process.platform === "win32" ? env("LOCALAPPDATA") : undefined;
  const base = local ?? env("XDG_CACHE_HOME") ?? path.join(home(), ".cache");
  return path.join(base, "webgguf");
}

async function openFile(name: string): Promise<OpenedFile> {
  await fs.mkdir(path.dirname(name), { recursive: true });
  const handle = await fs.open(name, "a").then(async (made) => {
    await made.close();
    return fs.open(name, "r+");
  });
  // Deno moves to a place and writes there in two steps: one after the other.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const done = turn.then(act);
    turn = done.catch(() => {});
    return done;
  };
  return {
    read: (into, offset) =>
      inTurn(async () => (await handle.read(into, 0, into.length, offset)).bytesRead),
    write: (bytes, offset) =>
      inTurn(async () => {
        for (let at = 0; at < bytes.length; )
          at += (await handle.write(bytes, at, bytes.length - at, offset + at)).bytesWritten;
      }),
    close: () => inTurn(() => handle.close()),
  };
}

/** Whether the process that a lock names is gone for sure. */
function isGone(holder: string): boolean {
  const [host, pid] = holder.split(" ");
  if (host !== os.hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return codeOf(error) === "ESRCH";
  }
}

/** A lock whose holder has died, or has given no sign of life for long. */
async function isStale(name: string): Promise<boolean> {
  const stats = await unlessMissing(fs.stat(name));
  if (!stats) return false;
  const holder = await unlessMissing(fs.readFile(name, "utf8"));
  return Date.now() - stats.mtimeMs > SILENCE || (holder ? isGone(holder) : false);
}

async function create(name: string, text: string): Promise<boolean> {
  try {
    await fs.writeFile(name, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function lock(name: string): Promise<FileLock | undefined> {
  await fs.mkdir(path.dirname(name), { recursive: true });
  const own = `${os.hostname()} ${process.pid} ${randomUUID()}`;
  if (!(await create(name, own))) {
    if (!(await isStale(name))) return undefined;
    // One alone clears it away, and looks again before.
    const clearing = `${name}.clearing`;
    if (!(await create(clearing, own))) {
      if (await isStale(clearing)) await fs.rm(clearing, { force: true });
      return undefined;
    }
    try {
      if (await isStale(name)) await fs.rm(name, { force: true });
    } finally {
      await fs.rm(clearing, { force: true });
    }
    if (!(await create(name, own))) return undefined;
  }
  const beat = setInterval(() => {
    const now = new Date();
    fs.utimes(name, now, now).catch(() => {});
  }, BEAT);
  beat.unref?.();
  let held = true;
  return {
    async release() {
      if (!held) return;
      held = false;
      clearInterval(beat);
      if ((await unlessMissing(fs.readFile(name, "utf8"))) === own)
        await fs.rm(name, { force: true });
    },
  };
}

/** The nearest folder that there is: what is free is asked of it. */
async function existing(name: string): Promise<string> {
  for (let folder = name; ; folder = path.dirname(folder)) {
    const stats = await unlessMissing(fs.stat(folder));
    if (stats || folder === path.dirname(folder)) return folder;
  }
}

async function link(target: string, name: string): Promise<boolean> {
  await fs.mkdir(path.dirname(name), { recursive: true });
  await fs.rm(name, { force: true });
  try {
    await fs.symlink(path.relative(path.dirname(name), target), name);
    return true;
  } catch (error) {
    if (["EPERM", "EACCES", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(codeOf(error) ?? ""))
      return false;
    throw error;
  }
}

/** The file system as a place for models. */
export const disk: Files = {
  env,
  folders: () => ({ hub: hubFolder(), own: ownFolder() }),
  text: (name) => unlessMissing(fs.readFile(name, "utf8")),
  async put(name, text) {
    await fs.mkdir(path.dirname(name), { recursive: true });
    const whole = `${name}.${randomUUID()}.tmp`;
    try {
      await fs.writeFile(whole, text);
      await fs.rename(whole, name);
    } catch (error) {
      await fs.rm(whole, { force: true });
      throw error;
    }
  },
  async list(name) {
    const entries = (await unlessMissing(fs.readdir(name, { withFileTypes: true }))) ?? [];
    return entries.map((one) => one.name + (one.isDirectory() ? "/" : "")).sort();
  },
  async size(name) {
    const stats = await unlessMissing(fs.stat(name));
    return stats?.isFile() ? stats.size : undefined;
  },
  open: openFile,
  async move(from, to) {
    await fs.mkdir(path.dirname(to), { recursive: true });
    await fs.rename(from, to);
  },
  link,
  real: (name) => fs.realpath(name),
  remove: (name) => fs.rm(name, { recursive: true, force: true }),
  async space(name) {
    try {
      const { bavail, bsize } = await fs.statfs(await existing(name));
      return { free: bavail * bsize };
    } catch {
      return undefined;
    }
  },
  lock,
  sha256() {
    const hash = createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
  },
};
