/** Lines from a person or a pipe, one at a time, with Ctrl-C as an event. */
import process from "node:process";
import { createInterface } from "node:readline";

export interface Lines {
  /** The next line; undefined at the end of input. */
  next(prompt: string): Promise<string | undefined>;
  close(): void;
}

/** Opens standard input. `terminal` false (`--simple-io`) means no line editing and no prompts. */
export function openLines(terminal: boolean, onInterrupt: () => void): Lines {
  const input = createInterface({
    input: process.stdin,
    ...(terminal && { output: process.stdout }),
    terminal,
  });
  const ready: string[] = [];
  let waiting: ((line: string | undefined) => void) | undefined;
  let ended = false;
  input.on("line", (line) => {
    if (!waiting) return void ready.push(line);
    const give = waiting;
    waiting = undefined;
    give(line);
  });
  input.on("close", () => {
    ended = true;
    waiting?.(undefined);
    waiting = undefined;
  });
  // A terminal in raw mode gives Ctrl-C to readline; a pipe's program gets the signal itself.
  input.on("SIGINT", onInterrupt);
  process.on("SIGINT", onInterrupt);
  return {
    next(prompt) {
      if (ready.length > 0) return Promise.resolve(ready.shift());
      if (ended) return Promise.resolve(undefined);
      if (terminal) {
        input.setPrompt(prompt);
        input.prompt();
      }
      return new Promise((resolve) => {
        waiting = resolve;
      });
    },
    close() {
      process.off("SIGINT", onInterrupt);
      input.close();
    },
  };
}
