/** The flags that give an answer a form, with llama.cpp's names. */
import type { GenerateOptions } from "../mod.ts";
import { type Flag, usage, type Values } from "./flags.ts";
import { readText } from "./terminal.ts";

export const GRAMMAR_FLAGS: readonly Flag[] = [
  { names: ["--grammar"], value: "GBNF", help: "a grammar that the answer follows" },
  { names: ["--grammar-file"], value: "FILE", help: "the same from a file" },
  {
    names: ["-j", "--json-schema"],
    value: "SCHEMA",
    help: "a JSON Schema whose value the answer is ({} = any JSON)",
  },
  { names: ["-jf", "--json-schema-file"], value: "FILE", help: "the same from a file" },
];

/** The form that {@link GRAMMAR_FLAGS} ask for. */
export async function grammarOptions(
  values: Values,
): Promise<Pick<GenerateOptions, "grammar" | "jsonSchema">> {
  const grammar = await textOf(values, "grammar");
  const schema = await textOf(values, "json-schema");
  if (grammar !== undefined && schema !== undefined)
    throw usage("Give a grammar or a JSON Schema, not both");
  if (schema === undefined) return grammar === undefined ? {} : { grammar };
  let jsonSchema: unknown;
  try {
    jsonSchema = JSON.parse(schema);
  } catch (error) {
    throw usage(`--json-schema is no JSON: ${(error as Error).message}`);
  }
  if (typeof jsonSchema !== "boolean" && Object(jsonSchema) !== jsonSchema)
    throw usage("--json-schema wants an object, true or false");
  return { jsonSchema: jsonSchema as object | boolean };
}

async function textOf(values: Values, name: string): Promise<string | undefined> {
  const given = values.text(name);
  const file = values.text(`${name}-file`);
  if (given !== undefined && file !== undefined)
    throw usage(`Give --${name} or --${name}-file, not both`);
  return file === undefined ? given : readText(file);
}
