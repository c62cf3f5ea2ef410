/** What an error means on the command line: the engine's messages name options, this adds the flags. */
import type { ErrorCode } from "../mod.ts";

const HINTS: { readonly [code in ErrorCode]?: string } = {
  "context/overflow": "-c sets the context, -ub the chunk that an embedding model's text must fit",
  "device/limit": "a smaller -c, or -ctk q8_0 -ctv q8_0, needs less",
  "device/out-of-memory": "a smaller -c, or -ctk q8_0 -ctv q8_0, needs less",
  "device/no-adapter": "--device cpu computes without one, --list-devices shows what is here",
  "model/no-tokenizer": "logits --tokens takes ids instead of text",
};

/** The message of an error with the flags that help, on one line. */
export function withHint(message: string, code: ErrorCode): string {
  const hint = HINTS[code];
  return hint === undefined ? message : `${message} (${hint})`;
}
