/** `--prompt-cache FILE`: what a prompt came to, kept for the next time. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { type Session, WebggufError } from "../mod.ts";
import { type Flag, usage, type Values } from "./flags.ts";

export const PROMPT_CACHE_FLAGS: readonly Flag[] = [
  {
    names: ["--prompt-cache"],
    value: "FILE",
    help: "keep the computed prompt in this file, and begin with what it has",
  },
  { names: ["--prompt-cache-all"], help: "keep the answers in it too (chat always does)" },
  { names: ["--prompt-cache-ro"], help: "begin with the file, and leave it as it is" },
];

/** The file that a run begins with and leaves behind; undefined where none was asked for. */
export class PromptCache {
  readonly #path: string;
  readonly #readOnly: boolean;
  /** Whether answers are kept too. */
  readonly all: boolean;

  private constructor(path: string, all: boolean, readOnly: boolean) {
    this.#path = path;
    this.#readOnly = readOnly;
    this.all = all;
  }

  static of(values: Values): PromptCache | undefined {
    const path = values.text("prompt-cache");
    const [all, readOnly] = [values.switch("prompt-cache-all"), values.switch("prompt-cache-ro")];
    if (path !== undefined) return new PromptCache(path, all, readOnly);
    if (all || readOnly)
      throw usage(`--prompt-cache-${all ? "all" : "ro"} wants a file: --prompt-cache FILE`);
    return undefined;
  }

  get writes(): boolean {
    return !this.#readOnly;
  }

  /** Gives the session what the file has; one that is not there yet has nothing. */
  async restore(session: Session): Promise<void> {
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = new Uint8Array(await readFile(this.#path));
    } catch (cause) {
      if ((cause as { code?: string }).code === "ENOENT") return;
      throw this.#failure("read", cause);
    }
    try {
      await session.restore(bytes);
    } catch (error) {
      if (!(error instanceof WebggufError)) throw error;
      throw new WebggufError(
        error.code,
        `Cannot begin with ${this.#path}: ${error.message}; remove the file or name another`,
        { ...error, file: this.#path, cause: error },
      );
    }
  }

  /** Puts the session's bytes in place of the file, whole or not at all. */
  async save(session: Session): Promise<void> {
    if (this.#readOnly) return;
    const bytes = await session.save();
    const beside = `${this.#path}.${process.pid}.part`;
    try {
      await writeFile(beside, bytes);
      await rename(beside, this.#path);
    } catch (cause) {
      throw this.#failure("write", cause);
    }
  }

  #failure(what: string, cause: unknown): WebggufError {
    return new WebggufError(
      "source/io",
      `Cannot ${what} the prompt cache ${this.#path}: ${(cause as Error).message}`,
      { file: this.#path, cause },
    );
  }
}
