/** What a command is: a name, a help that leads with examples, flags, and what it does. */
import type { Flag, Values } from "./flags.ts";

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Command lines to copy, each with a comment. */
  readonly examples: readonly string[];
  readonly flags: readonly Flag[];
  /** Words that are no flags, at most. @default the model alone, or none where a flag names it */
  readonly words?: number;
  /** Resolves with the exit code. */
  run(values: Values): Promise<number>;
}
