/** What a command is: a name, a help that leads with examples, flags, and what it does. */
import type { Flag, Values } from "./flags.ts";

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Command lines to copy, each with a comment. */
  readonly examples: readonly string[];
  readonly flags: readonly Flag[];
  /** Resolves with the exit code. */
  run(values: Values): Promise<number>;
}
