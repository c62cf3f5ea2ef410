/**
 * JSON Schema (draft 2020-12, and what of drafts 4 to 7 is written otherwise) as a grammar: of all
 * texts that it allows, each is a value that the schema allows. What cannot be enforced is refused
 * before anything is generated.
 */
import { WebggufError } from "../../base/errors.ts";
import { type Grammar, GrammarBuilder, type Term } from "../grammar.ts";
import { SchemaDocument } from "./document.ts";
import { Expander } from "./expand.ts";
import { Expressions } from "./expressions.ts";
import { Lowering } from "./lower.ts";
import type { Goal } from "./shape.ts";
import type { Writing } from "./strings.ts";

export interface JsonSchemaOptions {
  /**
   * White space after `{`, `[`, `,` and `:` and before `}` and `]`: a space, or one or two line feeds
   * and up to 20 spaces or tabs; or none. Default "bounded".
   */
  whitespace?: "bounded" | "none";
  /** Whether `format` is enforced (the default) or, as draft 2020-12 has it, only a remark. */
  formats?: "enforced" | "remarks";
}

/**
 * The grammar of a schema's values.
 *
 * @throws WebggufError `grammar/invalid` where the schema is none, or allows nothing;
 * `grammar/unsupported`, with `keyword` and `pointer`, where it asks for what cannot be enforced
 */
export function jsonSchemaGrammar(schema: unknown, options: JsonSchemaOptions = {}): Grammar {
  const builder = new GrammarBuilder();
  return builder.build(jsonSchemaTerm(builder, schema, options));
}

/** The values of a schema as a part of a larger grammar. */
export function jsonSchemaTerm(
  builder: GrammarBuilder,
  schema: unknown,
  options: JsonSchemaOptions = {},
): Term {
  return loweredSchema(builder, schema, options, (lowering, root) => lowering.root(root));
}

/** A schema's goal and what makes rules of it; strings are written as `writing` says. */
export function loweredSchema(
  builder: GrammarBuilder,
  schema: unknown,
  { whitespace = "bounded", formats = "enforced" }: JsonSchemaOptions,
  lower: (lowering: Lowering, root: Goal) => Term,
  writing?: Writing,
): Term {
  const r = builder.regex;
  const blank = r.bytes([
    [0x09, 0x09],
    [0x20, 0x20],
  ]);
  const space =
    whitespace === "none"
      ? r.empty
      : r.or(r.empty, r.text(" "), r.concat(r.repeat(r.text("\n"), 1, 2), r.repeat(blank, 0, 20)));
  const document = new SchemaDocument(schema);
  const expander = new Expander(new Expressions(r, writing), document, formats === "enforced");
  try {
    return lower(new Lowering(builder, expander, space), expander.holds(document.root));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const what = "Cannot enforce the schema: it is nested too deeply";
    throw new WebggufError("grammar/unsupported", what, { pointer: "" });
  }
}
