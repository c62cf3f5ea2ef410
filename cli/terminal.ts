/** Standard streams: text out, notes and a progress bar on the side, and the signals of a terminal. */
import { createReadStream, fstatSync } from "node:fs";
import { readFile } from "node:fs/promises";
import process from "node:process";
import type { LoadOptions, LoadProgress } from "../mod.ts";
import { usage } from "./flags.ts";

/** Writes to standard output and waits while it is full. */
export function print(text: string | Uint8Array): Promise<void> {
  if (text.length === 0) return Promise.resolve();
  const last = text.at(-1);
  atLineStart = last === "\n" || last === 10;
  return new Promise((resolve, reject) =>
    process.stdout.write(text, (error) => (error ? reject(error) : resolve())),
  );
}

/** Text without control characters but line breaks and tabs, and so without escape sequences, wherever it is cut. */
export const printable = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, "");

/** A model's text as it is printed: whole into files and pipes, {@link printable} on a terminal. */
export const modelText = (text: string): string => (stdoutIsTerminal() ? printable(text) : text);

/** A line on standard error, of its own where both streams go to the same place. */
export function note(text: string): void {
  const begun = !atLineStart && streamsMeet();
  if (begun) atLineStart = true;
  process.stderr.write(`${begun ? "\n" : ""}${text}\n`);
}

/** Whether standard output and standard error are the same terminal, pipe or file. */
function streamsMeet(): boolean {
  try {
    const [out, err] = [fstatSync(1), fstatSync(2)];
    return out.dev === err.dev && out.ino === err.ino;
  } catch {
    return false;
  }
}

/** Whether the text printed last ended a line. */
let atLineStart = true;

/** Ends the line that was printed last, if it has not ended. */
export const endLine = (): Promise<void> => (atLineStart ? Promise.resolve() : print("\n"));

export const stdoutIsTerminal = (): boolean => process.stdout.isTTY === true;
export const stdinIsTerminal = (): boolean => process.stdin.isTTY === true;

/** Dimmed on a terminal that has colours, unless NO_COLOR is set. */
export function dim(text: string): string {
  const plain = !stdoutIsTerminal() || process.env.NO_COLOR || process.env.TERM === "dumb";
  return plain || text === "" ? text : `\u001b[2m${text}\u001b[22m`;
}

/** A file's text; `-` is standard input. */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(path === "-" ? await readStdin() : await readBytes(path));
}

/** A file's bytes. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const reason =
      (error as { code?: string }).code === "ENOENT" ? "there is no such file" : String(error);
    throw usage(`Cannot read ${path}: ${reason}`);
  }
}

/** All of standard input, byte for byte. */
export async function readStdin(): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of createReadStream("", { fd: 0 })) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Calls `listener` at Ctrl-C until the returned function is called. */
export function onInterrupt(listener: () => void): () => void {
  process.on("SIGINT", listener);
  return () => process.off("SIGINT", listener);
}

/** Notices as lines; progress as a bar, only on a terminal. */
export function loadReporting(): Pick<LoadOptions, "onProgress" | "onNotice"> {
  const onNotice = (text: string): void => note(text);
  if (process.stderr.isTTY !== true) return { onNotice };
  let shown = 0;
  let downloading = false;
  const clear = (): void => void process.stderr.write("\r\u001b[K");
  return {
    onNotice: (text) => {
      clear();
      onNotice(text);
    },
    onProgress: (progress) => {
      const now = performance.now();
      const done = progress.loaded >= progress.total;
      // What is loaded meanwhile goes on as the download does.
      if (progress.stage === "download") downloading = !done;
      else if (downloading) return;
      if (!done && now - shown < 50) return;
      shown = now;
      if (done) clear();
      else process.stderr.write(`\r\u001b[K${progressBar(progress)}`);
    },
  };
}

const STAGES = {
  read: "Reading",
  download: "Downloading",
  upload: "Loading",
  compile: "Compiling",
} as const;

/** One line: what, a bar, a percentage and MiB where bytes are counted. */
export function progressBar(progress: LoadProgress): string {
  const { stage, loaded, total, rate = 0, secondsLeft } = progress;
  const share = total > 0 ? Math.min(1, loaded / total) : 0;
  const bar = "#".repeat(Math.round(share * 30)).padEnd(30, ".");
  const size = stage === "compile" ? "" : ` of ${(total / 1048576).toFixed(0)} MiB`;
  const speed = rate > 0 ? `, ${(rate / 1e6).toFixed(1)} MB/s` : "";
  const left = rate > 0 && secondsLeft !== undefined ? `, ${duration(secondsLeft)} left` : "";
  return `${STAGES[stage]} [${bar}] ${Math.floor(share * 100)}%${size}${speed}${left}`;
}

/** Seconds as `0:07`, `12:34` or `1:02:03`. */
function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number): string => String(value % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(minutes / 60);
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(whole)}`;
}

/** `\n`, `\t`, `\r`, `\\`, `\'`, `\"` and `\xHH` as llama.cpp reads them; others stay as written. */
export function processEscapes(text: string): string {
  const simple: Record<string, string> = {
    n: "\n",
    r: "\r",
    t: "\t",
    "'": "'",
    '"': '"',
    "\\": "\\",
  };
  const bytes = new TextEncoder();
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const match of text.matchAll(/\\(?:([nrt'"\\])|x([0-9a-fA-F]{2}))/g)) {
    parts.push(bytes.encode(text.slice(from, match.index)));
    parts.push(
      match[1] === undefined
        ? Uint8Array.of(Number.parseInt(match[2], 16))
        : bytes.encode(simple[match[1]]),
    );
    from = match.index + match[0].length;
  }
  parts.push(bytes.encode(text.slice(from)));
  return new TextDecoder().decode(Buffer.concat(parts));
}
