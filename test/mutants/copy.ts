/** A copy of a tree whose files change, and the process that runs its tests. */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const trial = fileURLToPath(new URL("trial.mjs", import.meta.url));
const running = new Set<() => void>();

/** Ends all test processes that are still running. */
export function stop(): void {
  for (const end of running) end();
}

/** A program in a copy of the tree, in a process group of its own. */
export interface Program {
  readonly child: ChildProcess;
  /** The exit code when it has ended. */
  readonly ended: Promise<number>;
  readonly end: () => void;
  output: string;
}

/** Starts Node in a folder. */
export function start(folder: string, args: readonly string[]): Program {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    // A run inside a test of this runner must not take that one's settings.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_OPTIONS)/.test(name)),
    ),
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: process.platform !== "win32",
  });
  const end = (): void => {
    // The test's own process is a child of this one: the whole group must go.
    try {
      process.kill(process.platform === "win32" ? child.pid! : -child.pid!, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  };
  running.add(end);
  const ended = new Promise<number>((resolve) => {
    child.on("close", (code) => {
      running.delete(end);
      resolve(code ?? 1);
    });
  });
  const program: Program = { child, ended, end, output: "" };
  child.stdout!.on("data", (data) => (program.output += data));
  child.stderr!.on("data", (data) => (program.output += data));
  return program;
}

/** What a test file said: trial.mjs sends it. */
export interface Verdict {
  readonly passed: boolean;
  /** What failed. */
  readonly output: string;
}

/** Copies a tree into `into`, with the same installed packages. */
function copyTree(root: string, into: string): void {
  const left = new Set([".git", ".cache", "node_modules", "dist"]);
  fs.cpSync(root, into, {
    recursive: true,
    filter: (from) => !left.has(path.relative(root, from).split(path.sep)[0]!),
  });
  fs.symlinkSync(fs.realpathSync(path.join(root, "node_modules")), `${into}/node_modules`, "dir");
}

/** A copy of a tree with the process that runs its tests. */
export class Copy {
  readonly folder: string;
  #tests: Program | undefined;
  /** Files that were written since the last run. */
  readonly #changed = new Set<string>();

  /** Copies the tree `root` into `folder`. */
  constructor(root: string, folder: string) {
    copyTree(root, folder);
    this.folder = folder;
  }

  read(file: string): string {
    return fs.readFileSync(path.join(this.folder, file), "utf8");
  }

  write(file: string, text: string): void {
    fs.writeFileSync(path.join(this.folder, file), text);
    this.#changed.add(file);
  }

  /** Runs one test file; undefined when it ran past the limit. */
  async test(test: string, limitMs: number): Promise<Verdict | undefined> {
    const program = (this.#tests ??= start(this.folder, [trial]));
    const changed = [...this.#changed];
    this.#changed.clear();
    const { child } = program;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const verdict = await Promise.race([
      new Promise<Verdict>((resolve) => {
        child.removeAllListeners("message").on("message", (it) => resolve(it as Verdict));
        child.send({ changed, test });
      }),
      program.ended.then((): Verdict => ({ passed: false, output: program.output })),
      new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), limitMs);
      }),
    ]);
    clearTimeout(timer);
    if (!verdict || child.exitCode !== null || child.signalCode !== null) await this.close();
    return verdict;
  }

  /** Ends the process of the tests; the next run starts another. */
  async close(): Promise<void> {
    this.#tests?.end();
    await this.#tests?.ended;
    this.#tests = undefined;
    this.#changed.clear();
  }
}
