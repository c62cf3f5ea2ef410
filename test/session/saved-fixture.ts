/** A session that Node saved (test/session/make-saved.ts), for all runtimes to restore. */
import type { GenerateOptions } from "../../mod.ts";

export const MODEL = "../../models/webgguf-tale-q8_0.gguf";
export const SAVED = "session/tale.session";
export const CONTINUED = "session/tale.json";
export const GOES_ON: GenerateOptions = { temperature: 0, maxTokens: 24 };
