/** What an answer must be: a grammar, a JSON Schema, JSON of any kind; by OpenAI's and llama-server's fields. */
import type { GenerateOptions } from "../../mod.ts";
import { refuse } from "./errors.ts";
import type { Fields } from "./fields.ts";

type Constraint = Pick<GenerateOptions, "grammar" | "jsonSchema" | "regex" | "choice">;

/** Any JSON object. */
const OBJECT = { type: "object" };

/** Whether an answer is held to anything. */
export const isConstrained = (options: GenerateOptions): boolean =>
  [options.grammar, options.jsonSchema, options.regex, options.choice].some(
    (one) => one !== undefined,
  ) ||
  (options.toolChoice !== undefined && options.toolChoice !== "none");

/** `grammar`, `json_schema` and `response_format`; at most one of them. */
export function constraintFrom(
  body: Fields,
  format: Fields | undefined = body.fields("response_format"),
): Constraint {
  const found: [string, Constraint][] = [];
  const grammar = body.text("grammar");
  if (grammar) found.push(["grammar", { grammar }]);
  const schema = body.any("json_schema");
  if (schema !== undefined)
    found.push(["json_schema", { jsonSchema: schemaOf(body, "json_schema") }]);
  const inFormat = format && formatOf(format);
  if (inFormat) found.push(["response_format", inFormat]);
  if (found.length > 1)
    refuse(
      found[1][0],
      `left out beside ${found[0][0]}: an answer follows one of them`,
      found[1][1],
    );
  return found[0]?.[1] ?? {};
}

function formatOf(format: Fields): Constraint | undefined {
  const type = format.required("type", format.oneOf("type", "text", "json_object", "json_schema"));
  if (type === "text") return undefined;
  if (type === "json_object")
    return { jsonSchema: format.has("schema") ? schemaOf(format, "schema") : OBJECT };
  // Chat has the schema in a field of its own, responses have it in place.
  const inner = format.fields("json_schema") ?? format;
  return { jsonSchema: inner.has("schema") ? schemaOf(inner, "schema") : OBJECT };
}

function schemaOf(fields: Fields, key: string): object | boolean {
  const schema = fields.any(key);
  if (typeof schema === "boolean") return schema;
  return fields.required(key, fields.object(key));
}
