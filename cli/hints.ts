/** What an error means on the command line: the engine's messages name options, this adds the flags. */
import { type ErrorCode, WebggufError } from "../mod.ts";

const HINTS: { readonly [code in ErrorCode]?: string } = {
  "device/limit": "a smaller -c, or -ctk q8_0 -ctv q8_0, needs less",
  "device/out-of-memory": "a smaller -c, or -ctk q8_0 -ctv q8_0, needs less",
  "device/no-adapter": "--device cpu computes without one, --list-devices shows what is here",
  "model/no-tokenizer": "logits --tokens takes ids instead of text",
};

/** What stands instead of the engine's advice, which is the part behind the last semicolon. */
const ADVICE: { readonly [code in ErrorCode]?: string } = {
  "context/overflow":
    "shorten it or give a larger -c; an embedding model's text must fit into -ub too",
  "template/failed": "--chat-template and --chat-template-file give another one",
};

/** The message of an error with the flags that help, on one line. */
export function withHint(message: string, code: ErrorCode): string {
  const advice = ADVICE[code];
  const at = message.lastIndexOf(";");
  if (advice !== undefined) return `${at < 0 ? message : message.slice(0, at)}; ${advice}`;
  const hint = HINTS[code];
  return hint === undefined ? message : `${message} (${hint})`;
}

/** What was thrown, as one line of a command. */
export const described = (error: unknown): string =>
  error instanceof WebggufError
    ? `webgguf: ${withHint(error.message, error.code)} [${error.code}]`
    : `webgguf: ${error instanceof Error ? error.message : error}`;
