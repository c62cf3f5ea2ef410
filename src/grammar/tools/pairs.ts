/**
 * Arguments that are written one by one, between tags or as Python does. Texts stand as they are, all
 * else is JSON; where the schema does not say which of them a value is, a text that would be read as
 * JSON is not allowed.
 */
import type { Alternative, GrammarBuilder, Term } from "../grammar.ts";
import { SchemaDocument, type SchemaObject } from "../json-schema/document.ts";
import { Expander } from "../json-schema/expand.ts";
import { Expressions } from "../json-schema/expressions.ts";
import { loweredSchema } from "../json-schema/grammar.ts";
import { objectAlternatives } from "../json-schema/lower-objects.ts";
import { refuse } from "../json-schema/refuse.ts";
import { both, type Goal } from "../json-schema/shape.ts";
import type { Regex } from "../regex/regex.ts";
import type { PairStyle } from "./styles.ts";

const NO_TEXT: SchemaObject = { type: ["null", "boolean", "number", "array", "object"] };
const IN_TAG = /^[^"<>=\s]([^"<>=\n]*[^"<>=\s])?$/;
const IN_PYTHON = /^[\p{L}_][\p{L}\p{N}_-]*$/u;

/** The arguments that a schema of an object allows. */
export function pairsTerm(
  builder: GrammarBuilder,
  schema: SchemaObject,
  style: PairStyle,
  mark: (text: string) => Alternative,
): Term {
  const { pair, between = "", kinds, valueEnd } = style;
  const r = builder.regex;
  const document = new SchemaDocument(schema);
  const asTheyAre = new Expander(new Expressions(r, "as they are"), document, true);
  const nothing = builder.lexeme(r.empty);

  /** The texts of a goal that are read as they are. */
  const onLine = pair.includes("\n{value}");
  const texts = (goal: Goal, sure: boolean): Term => {
    const any = r.repeat(r.anyCharacter, 0);
    const containing = r.concat(any, r.text(valueEnd ?? ""), any);
    let wrong: Regex[] = [containing];
    if (!onLine) wrong = [...wrong, r.concat(r.or(r.text("\n"), r.text("<![CDATA[")), any)];
    if (!sure) wrong = [...wrong, looksLikeJson(builder)];
    const { strings } = asTheyAre.expand(goal);
    return builder.lexeme(r.and(strings, r.not(r.or(...wrong))));
  };

  return loweredSchema(
    builder,
    schema,
    {},
    (lowering, root) => {
      const properties = (schema.properties ?? {}) as Record<
        string,
        { type?: unknown } | undefined
      >;
      lowering.expander.document.place(NO_TEXT, schema);
      const property = (name: string, goal: Goal): Alternative[] => {
        if (!(valueEnd === undefined ? IN_PYTHON : IN_TAG).test(name))
          refuse(
            "properties",
            "",
            `the model's format of calls cannot write ${JSON.stringify(name)}`,
          );
        const write = (kind: 0 | 1, value: Term): Alternative => {
          const [before, behind] = pair
            .replaceAll("{key}", name)
            .replace("{kind}", kinds?.[kind] ?? "")
            .split("{value}");
          return [...mark(before), value, ...mark(behind)];
        };
        if (valueEnd === undefined) return [write(1, lowering.value(goal))];
        const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
        const only = typeof type === "string";
        const out: Alternative[] = [];
        if (!only || type === "string")
          out.push(write(0, texts(goal, only || kinds !== undefined)));
        if (type !== "string")
          out.push(write(1, lowering.value(both(goal, lowering.expander.holds(NO_TEXT)))));
        return out;
      };
      const notation = {
        ...{ open: nothing, close: nothing, others: false, property },
        comma: between === "" ? nothing : builder.literal(between),
      };
      const rule = lowering.rule();
      for (const shape of lowering.expander.expand(root).objects)
        builder.define(rule, ...objectAlternatives(lowering, shape, notation));
      lowering.finish();
      return rule;
    },
    valueEnd === undefined ? "json" : "between tags",
  );
}

/** Texts that are read as JSON, or as a literal of Python's, and a few more. */
function looksLikeJson(builder: GrammarBuilder): Regex {
  const r = builder.regex;
  const any = r.repeat(r.anyCharacter, 0);
  const one = (characters: string): Regex =>
    r.or(...Array.from(characters, (character) => r.text(character)));
  const space = r.or(
    one(" \t\n\r\v\f\u00a0\u2028\u2029\u3000\ufeff"),
    r.characters([[0x2000, 0x200a]]),
  );
  const word = r.or(
    one("+-._"),
    r.bytes([
      [0x30, 0x39],
      [0x41, 0x5a],
      [0x61, 0x7a],
    ]),
  );
  return r.or(
    r.empty,
    r.concat(r.or(space, one("[({\"'")), any),
    r.concat(any, space),
    r.texts(["true", "false", "null", "True", "False", "None"]),
    r.concat(r.or(one("+-."), r.bytes([[0x30, 0x39]])), r.repeat(word, 0)),
  );
}
