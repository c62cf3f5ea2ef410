/** The form of an answer, where the caller asked for one: which tokens may come, and when it is through. */
import { WebggufError } from "../base/errors.ts";
import type { GrammarMatcher } from "../grammar/matcher.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ReadPrompt } from "./prompt.ts";
import type { GenerateOptions } from "./types.ts";

const FORMS = ["grammar", "jsonSchema", "regex", "choice"] as const;

/** Whether the options ask for a form; refuses two at once, and triggers without a grammar. */
function isAsked(options: GenerateOptions): boolean {
  const given: string[] = FORMS.filter((name) => options[name] !== undefined);
  if ((options.responseFormat ?? "text") !== "text") given.push("responseFormat");
  const { toolChoice = "none", tools = [] } = options;
  if (toolChoice !== "none") given.push("toolChoice");
  if (toolChoice !== "none" && tools.length === 0)
    throw new WebggufError(
      "input/invalid",
      "Cannot follow toolChoice without tools; give some, or no toolChoice",
    );
  if (given.length > 1)
    throw new WebggufError(
      "input/invalid",
      `Cannot give an answer two forms, ${given.join(" and ")}; give one of them`,
    );
  if (options.grammarTriggers && given.length === 0)
    throw new WebggufError(
      "input/invalid",
      "Cannot wait for grammarTriggers without a grammar; give one, or no triggers",
    );
  return given.length > 0;
}

/** What holds the answer to its form; undefined where none is asked for. Errors: `grammar/…`. */
export async function constraintFor(
  options: GenerateOptions,
  model: { readonly tokenizer: Tokenizer },
  chat?: ReadPrompt["chat"],
): Promise<Constraint | undefined> {
  if (!isAsked(options)) return undefined;
  const { compileGrammar, compiled, tokenOf } = await import("../grammar/compile.ts");
  const { tokenizer } = model;
  const { toolChoice = "none", tools = [], parallelToolCalls } = options;
  if (toolChoice !== "none") {
    if (!chat)
      throw new WebggufError(
        "input/invalid",
        "Cannot follow toolChoice behind a text or tokens: how calls are written is the chat template's; give messages",
      );
    const { toolAnswer } = await import("../grammar/tools/answer.ts");
    const { grammar, triggers } = toolAnswer({
      ...{ template: chat.template, prompt: chat.text, tools, toolChoice },
      ...{ parallel: parallelToolCalls, tokenOf: (text) => tokenOf(tokenizer, text) },
    });
    const how = { ...options, grammarTriggers: triggers };
    return new Constraint(compiled(grammar, tokenizer).matcher(), tokenizer, how);
  }
  const matcher = compileGrammar(options, tokenizer).matcher();
  return new Constraint(matcher, tokenizer, options);
}

export class Constraint {
  readonly #matcher: GrammarMatcher;
  readonly #tokenizer: Tokenizer;
  readonly #ignoreEos: boolean;
  readonly #mask: Uint32Array;
  readonly #triggers: readonly (string | number)[];
  /** Whether the grammar holds already; before, triggers are waited for in the text so far. */
  #on: boolean;
  #before = "";
  /** Tokens that came without being sampled. */
  forcedTokens = 0;
  #stuck = false;
  /** Whether the mask is that of the text so far. */
  #ready = false;

  constructor(matcher: GrammarMatcher, tokenizer: Tokenizer, options: GenerateOptions) {
    this.#matcher = matcher;
    this.#tokenizer = tokenizer;
    this.#ignoreEos = options.ignoreEos ?? false;
    this.#mask = new Uint32Array(Math.ceil(tokenizer.size / 32));
    this.#triggers = options.grammarTriggers ?? [];
    this.#on = this.#triggers.length === 0;
  }

  /** Whether nothing may follow: the answer ends without an end token. */
  get over(): boolean {
    // Only then may nothing come although the grammar goes on.
    if (this.#ignoreEos || !this.#matcher.sure) this.prepare();
    return this.#on && (this.#stuck || this.#matcher.finished);
  }

  /** Whether the answer is of its form, if it ends here. */
  get complete(): boolean {
    return !this.#on || this.#matcher.complete;
  }

  /** The next token where there is only one way to go on, else -1. */
  forced(): number {
    return this.#on && !this.over ? this.#matcher.forced() : -1;
  }

  /** Samples a token that may come. Logits of those that may not are -Infinity. */
  sample(logits: Float32Array, sampler: (logits: Float32Array) => number): number {
    const forced = this.forced();
    if (forced >= 0) return forced;
    this.prepare();
    const masked = logits.slice();
    if (this.#on)
      for (let id = 0; id < masked.length; id++)
        if (!this.#may(id)) masked[id] = Number.NEGATIVE_INFINITY;
    for (;;) {
      const token = pick(masked, logits, sampler, (id) => !this.#on || this.#may(id));
      if (this.#on || this.#fits(token)) return token;
      masked[token] = Number.NEGATIVE_INFINITY;
    }
  }

  /** How many of the tokens of a draft may come one after the other. */
  allowed(draft: readonly number[]): number {
    if (!this.#on) return draft.length;
    const ahead = this.#matcher.clone();
    let count = 0;
    while (count < draft.length && ahead.accept(draft[count])) count++;
    return count;
  }

  /** A token joined the answer. */
  accept(token: number): void {
    if (!this.#on) this.#wait(token);
    else this.#matcher.accept(token);
    this.#ready = false;
  }

  #may(id: number): boolean {
    return ((this.#mask[id >> 5] >>> (id & 31)) & 1) === 1;
  }

  /** Finds out which tokens may come next. */
  prepare(): void {
    if (this.#ready) return;
    this.#ready = true;
    this.#stuck = false;
    if (!this.#on || this.#matcher.finished || this.#matcher.forced() >= 0) return;
    let count = this.#matcher.mask(this.#mask);
    if (this.#ignoreEos)
      for (const id of this.#tokenizer.endTokens)
        if (this.#may(id)) {
          this.#mask[id >> 5] &= ~(1 << (id & 31));
          count--;
        }
    this.#stuck = count === 0;
  }

  /** Where a trigger stands in the text with the token: there the grammar begins. */
  #begin(token: number): Uint8Array | number | undefined {
    if (this.#triggers.includes(token)) return token;
    const text = this.#before + latin1(this.#tokenizer.bytes(token, true));
    let first = -1;
    for (const trigger of this.#triggers) {
      if (typeof trigger === "number") continue;
      const at = text.indexOf(latin1(new TextEncoder().encode(trigger)));
      if (at >= 0 && (first < 0 || at < first)) first = at;
    }
    return first < 0 ? undefined : Uint8Array.from(text.slice(first), (c) => c.charCodeAt(0));
  }

  /** Whether a token that may be the last of a trigger goes on as the grammar begins. */
  #fits(token: number): boolean {
    const begin = this.#begin(token);
    if (begin === undefined) return true;
    const ahead = this.#matcher.clone();
    return typeof begin === "number" ? ahead.accept(begin) : ahead.acceptBytes(begin);
  }

  #wait(token: number): void {
    const begin = this.#begin(token);
    this.#before = (this.#before + latin1(this.#tokenizer.bytes(token, true))).slice(-4096);
    if (begin === undefined) return;
    this.#on = true;
    if (typeof begin === "number") this.#matcher.accept(begin);
    else this.#matcher.acceptBytes(begin);
  }
}

/** Bytes as a text of as many characters. */
const latin1 = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

/** Samples; where other options leave nothing of what may come, the likeliest that may. */
function pick(
  masked: Float32Array,
  logits: Float32Array,
  sampler: (logits: Float32Array) => number,
  may: (id: number) => boolean,
): number {
  try {
    const token = sampler(masked);
    if (may(token)) return token;
  } catch (error) {
    if (!(error instanceof WebggufError)) throw error;
  }
  let best = -1;
  for (let id = 0; id < logits.length; id++)
    if (may(id) && (best < 0 || logits[id] > logits[best])) best = id;
  return best;
}
