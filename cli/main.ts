#!/usr/bin/env node
/** `webgguf COMMAND …`: finds the command, reads its flags, turns what it throws into one line. */
import process from "node:process";
import { WebggufError } from "../mod.ts";
import { nearest } from "../src/base/text.ts";
import type { Command } from "./command.ts";
import { bench } from "./commands/bench.ts";
import { chat } from "./commands/chat.ts";
import { complete } from "./commands/complete.ts";
import { devices } from "./commands/devices.ts";
import { embed } from "./commands/embed.ts";
import { explain } from "./commands/explain.ts";
import { fit } from "./commands/fit.ts";
import { imatrix } from "./commands/imatrix.ts";
import { inspect } from "./commands/inspect.ts";
import { logits } from "./commands/logits.ts";
import { ls } from "./commands/ls.ts";
import { perplexity } from "./commands/perplexity.ts";
import { pull } from "./commands/pull.ts";
import { quantize } from "./commands/quantize.ts";
import { rm } from "./commands/rm.ts";
import { serve } from "./commands/serve.ts";
import { tokenize } from "./commands/tokenize.ts";
import { tune } from "./commands/tune.ts";
import { verify } from "./commands/verify.ts";
import { describeFlags, type Flag, parseFlags, usage } from "./flags.ts";
import { described } from "./hints.ts";
import { Interrupted } from "./model.ts";
import { note, print } from "./terminal.ts";
import { version } from "./version.ts";

const COMMANDS: readonly Command[] = [
  complete,
  chat,
  serve,
  inspect,
  explain,
  devices,
  tokenize,
  embed,
  perplexity,
  logits,
  bench,
  tune,
  quantize,
  imatrix,
  pull,
  ls,
  rm,
  verify,
  fit,
];

const COMMON: readonly Flag[] = [
  { names: ["-h", "--help"], help: "this help" },
  { names: ["-v", "--verbose"], help: "errors with where they come from" },
  { names: ["--list-devices"], help: "the adapters that --device can name" },
];

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help")
    return help(rest[0]);
  if (name === "--version") return print(`${version}\n`).then(() => 0);
  if (name === "--list-devices") return devices.run(parseFlags(rest, devices.flags));
  const command = COMMANDS.find((one) => one.name === name);
  if (!command) {
    const near = nearest(
      name,
      COMMANDS.map((one) => one.name),
    );
    throw usage(
      `Unknown command ${name}${near ? `; did you mean ${near}?` : "; webgguf --help lists them"}`,
    );
  }
  const values = parseFlags(rest, [...command.flags, ...COMMON], process.env);
  if (values.switch("help")) return help(command.name);
  if (values.switch("list-devices")) return devices.run(values);
  const carried = [...new Set(values.carried)];
  if (carried.length > 0) note(`Without effect here: ${carried.join(", ")}`);
  const extra = values.positionals[command.words ?? (values.hasModel() ? 0 : 1)];
  if (extra !== undefined)
    throw usage(
      `What is ${JSON.stringify(extra)}? A flag's name is missing before it, or quotes around a text`,
    );
  return command.run(values);
}

async function help(name: string | undefined): Promise<number> {
  const command = COMMANDS.find((one) => one.name === name);
  if (command) {
    await print(
      `${command.summary}\n\nExamples\n${command.examples.map((line) => `  ${line}\n`).join("")}\n` +
        `Flags\n${describeFlags([...command.flags, ...COMMON])}\n`,
    );
    return 0;
  }
  const width = Math.max(...COMMANDS.map((one) => one.name.length)) + 2;
  await print(
    `webgguf ${version}: GGUF language models on any GPU, from TypeScript\n\nExamples\n` +
      '  webgguf chat -m model.gguf\n  webgguf complete -m model.gguf -p "Once upon a time" -n 64\n' +
      "  webgguf inspect -m model.gguf --memory -c 4096\n  webgguf devices\n\nCommands\n" +
      `${COMMANDS.map((one) => `  ${one.name.padEnd(width)}${one.summary}\n`).join("")}\n` +
      "webgguf COMMAND --help tells its flags.\n",
  );
  return 0;
}

/** 0 done, 1 failed, 2 wrong use, 130 interrupted. */
function report(error: unknown, verbose: boolean): number {
  if (error instanceof Interrupted) return 130;
  if ((error as { code?: string } | null)?.code === "EPIPE") return 0;
  if (verbose && error instanceof Error) note(String(error.stack));
  else note(described(error));
  return error instanceof WebggufError && error.code === "input/invalid" ? 2 : 1;
}

const args = process.argv.slice(2);
// Work that can be stopped listens itself; between such work Ctrl-C ends the program.
process.on("SIGINT", () => {
  if (process.listenerCount("SIGINT") === 1) process.exit(130);
});
// A reader that went away (`webgguf … | head`) ends the program quietly.
process.stdout.on("error", () => process.exit(0));
try {
  process.exitCode = await main(args);
} catch (error) {
  process.exitCode = report(error, args.includes("-v") || args.includes("--verbose"));
}
// A native driver's threads may outlive the work: leave as soon as the output is out.
process.stdout.write("", () => process.exit());
