/** What the page says: errors without the options and calls that the engine advises programmers of. */

/** The name of a model in the files that were chosen: that of one, or what the parts of one have in common. */
export function modelName(names: readonly string[]): string {
  const [first = ""] = names;
  const stem = first.replace(/-\d{5}-of-\d{5}(?=\.gguf$)/i, "");
  return names.length > 1 ? `${stem} (${names.length} files)` : first;
}

/** Advice in place of the engine's, which is the part behind the last semicolon. */
const ADVICE: Readonly<Record<string, string>> = {
  "device/out-of-memory": "choose a smaller model, or close other programs",
  "device/limit": "choose a smaller model",
  "device/lost": "choose the model again",
  "session/disposed": "choose the model again",
  "template/failed": "the model may not be made for conversations",
  "model/no-tokenizer": "choose a model that comes with its vocabulary",
  "model/unsupported": "choose another model",
};

/** An error in a reader's words. */
export function words(error: unknown): string {
  const { code = "", message = String(error) } = Object(error) as Error & { code?: string };
  const advice = ADVICE[code];
  const at = message.lastIndexOf(";");
  return advice ? `${at < 0 ? message : message.slice(0, at)}; ${advice}.` : message;
}

/** A message that leaves no room for its answer. */
export const tooLong = (contextLength: number): string =>
  `Your message is too long. This model holds ${contextLength} tokens, about ${Math.round(contextLength * 0.075) * 10} English words, ` +
  "for a message and its answer together. Shorten it and send it again.";
