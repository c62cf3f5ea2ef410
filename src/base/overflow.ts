/** The error of what is too long for a context. */
import { WebggufError } from "./errors.ts";

/** `needed` is undefined where nobody counted further than to the end of the context. */
export function contextOverflow(context: number, needed?: number): WebggufError {
  return new WebggufError(
    "context/overflow",
    `The context holds ${context} tokens and this needs ${needed ?? "more"}; ` +
      "shorten it, call reset(), or load the model with a larger contextLength",
    { expected: context, ...(needed !== undefined && { actual: needed }) },
  );
}
