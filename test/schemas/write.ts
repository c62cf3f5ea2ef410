/**
 * A value as the text that a grammar takes. Objects have no order and grammars have one: where the
 * value's own order is refused, its properties are tried in others, those first that the schema
 * names first.
 */

import { plainDecimal } from "../../src/grammar/json-schema/numbers.ts";
import type { GrammarMatcher } from "../../src/grammar/matcher.ts";

/** Bytes that are tried at most, in all. */
const MOST_TRIED = 500_000;

const encoder = new TextEncoder();

/** With spaces as Python's `json.dumps` sets them; numbers without exponents. */
export function written(value: unknown): string {
  if (typeof value === "number") return plainDecimal(Object.is(value, -0) ? 0 : value);
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const pairs = Object.entries(value).map(
    ([key, one]) => `${JSON.stringify(key)}: ${written(one)}`,
  );
  return `{${pairs.join(", ")}}`;
}

/** The value's text in an order that the grammar takes from its start; undefined if none is found. */
export function writtenInOrder(
  matcher: GrammarMatcher,
  value: unknown,
  schema: unknown,
): string | undefined {
  const writer = new Writer(JSON.stringify(schema) ?? "");
  const found = writer.write(matcher, value);
  return found?.matcher.complete ? found.text : undefined;
}

interface Written {
  readonly matcher: GrammarMatcher;
  readonly text: string;
}

class Writer {
  readonly #schema: string;
  #tried = 0;

  constructor(schema: string) {
    this.#schema = schema;
  }

  #accept(from: Written, text: string): Written | undefined {
    const bytes = encoder.encode(text);
    this.#tried += bytes.length;
    if (this.#tried > MOST_TRIED) return undefined;
    const matcher = from.matcher.clone();
    return matcher.acceptBytes(bytes) ? { matcher, text: from.text + text } : undefined;
  }

  write(matcher: GrammarMatcher, value: unknown): Written | undefined {
    return this.#value({ matcher, text: "" }, value);
  }

  #value(from: Written, value: unknown): Written | undefined {
    if (Array.isArray(value)) {
      let at = this.#accept(from, "[");
      for (const [i, one] of value.entries()) {
        if (at && i > 0) at = this.#accept(at, ", ");
        at &&= this.#value(at, one);
      }
      return at && this.#accept(at, "]");
    }
    if (typeof value !== "object" || value === null) return this.#accept(from, written(value));
    const at = this.#accept(from, "{");
    const names = Object.keys(value);
    const place = (name: string): number => {
      const found = this.#schema.indexOf(`${JSON.stringify(name)}:`);
      return found < 0 ? this.#schema.length : found;
    };
    const ranked = [...names].sort((a, b) => place(a) - place(b));
    return at && this.#properties(at, value as Record<string, unknown>, ranked);
  }

  #properties(
    from: Written,
    object: Record<string, unknown>,
    names: readonly string[],
  ): Written | undefined {
    if (names.length === 0) return this.#accept(from, "}");
    for (const name of names) {
      let at = this.#accept(
        from,
        `${from.text.endsWith("{") ? "" : ", "}${JSON.stringify(name)}: `,
      );
      at &&= this.#value(at, object[name]);
      const left = names.filter((one) => one !== name);
      const found = at && this.#properties(at, object, left);
      if (found) return found;
    }
    return undefined;
  }
}
