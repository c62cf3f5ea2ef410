/**
 * A schema document: its places (JSON pointers), base URIs, anchors and references, and the dialect
 * that it is written in.
 */
import { malformed, refuse } from "./refuse.ts";

/** A schema as an object; `true` and `false` are told apart before. */
export type SchemaObject = { readonly [keyword: string]: unknown };
export type Schema = SchemaObject | boolean;

export const isObject = (value: unknown): value is SchemaObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Keywords whose value is a schema, a list of schemas, and schemas by name. */
const ONE = [
  "additionalItems",
  "additionalProperties",
  "contains",
  "else",
  "if",
  "items",
  "not",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
  "contentSchema",
];
const LIST = ["allOf", "anyOf", "items", "oneOf", "prefixItems"];
const NAMED = [
  "$defs",
  "definitions",
  "dependencies",
  "dependentSchemas",
  "patternProperties",
  "properties",
];

interface Place {
  readonly pointer: string;
  readonly base: string;
}

const START = "schema://document/";

const escapePointer = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");

/** The document, walked once. */
export class SchemaDocument {
  readonly root: Schema;
  /** Draft 3 to 7: nothing beside `$ref` counts. */
  readonly refAlone: boolean;
  /** Some schema asks for what others evaluated. */
  readonly unevaluated: boolean;
  readonly #places = new Map<SchemaObject, Place>();
  readonly #byUri = new Map<string, Schema>();
  readonly #dynamic = new Map<string, number>();

  constructor(root: unknown) {
    if (!isObject(root) && typeof root !== "boolean")
      malformed("schema", "", "a schema is an object, true or false");
    this.root = root;
    const dialect = isObject(root) ? root.$schema : undefined;
    if (typeof dialect === "string" && !/^https?:\/\/json-schema\.org\//.test(dialect))
      refuse("$schema", "", `the dialect ${JSON.stringify(dialect)} is not known; leave it out`);
    this.refAlone = typeof dialect === "string" && /draft-0[3-7]/.test(dialect);
    const text = JSON.stringify(root);
    this.unevaluated = text.includes('"unevaluated');
    this.#byUri.set(START, root);
    this.#walk(root, "", START);
  }

  pointer(schema: SchemaObject): string {
    return this.#places.get(schema)?.pointer ?? "";
  }

  /** Gives a schema that was made here the place of the one that it was made for. */
  place(schema: SchemaObject, as: SchemaObject): void {
    this.#places.set(schema, this.#places.get(as)!);
  }

  #walk(schema: unknown, pointer: string, outer: string): void {
    if (!isObject(schema) || this.#places.has(schema)) return;
    let base = outer;
    const id = schema.$id ?? schema.id;
    const alone = this.refAlone && "$ref" in schema;
    if (typeof id === "string" && !alone) {
      const uri = absolute(id, base);
      if (uri !== undefined) {
        if (!this.#byUri.has(uri)) this.#byUri.set(uri, schema);
        const bare = uri.replace(/#.*$/s, "");
        if (!id.startsWith("#")) base = bare;
        if (!this.#byUri.has(bare) && !id.startsWith("#")) this.#byUri.set(bare, schema);
      }
    }
    for (const anchor of [schema.$anchor, schema.$dynamicAnchor])
      if (typeof anchor === "string") this.#byUri.set(`${base}#${anchor}`, schema);
    const dynamic = schema.$dynamicAnchor;
    if (typeof dynamic === "string")
      this.#dynamic.set(dynamic, (this.#dynamic.get(dynamic) ?? 0) + 1);
    this.#places.set(schema, { pointer, base });
    for (const key of Object.keys(schema)) {
      const value = schema[key];
      const at = `${pointer}/${escapePointer(key)}`;
      if (Array.isArray(value)) {
        if (LIST.includes(key))
          value.forEach((one, i) => {
            this.#walk(one, `${at}/${i}`, base);
          });
      } else if (ONE.includes(key)) this.#walk(value, at, base);
      else if (NAMED.includes(key) && isObject(value))
        for (const name of Object.keys(value))
          this.#walk(value[name], `${at}/${escapePointer(name)}`, base);
    }
  }

  /** Whether a dynamic reference can only mean one schema. */
  isStatic(reference: unknown): boolean {
    const anchor = String(reference).split("#")[1] ?? "";
    return anchor.startsWith("/") || (anchor !== "" && (this.#dynamic.get(anchor) ?? 0) <= 1);
  }

  /** The schema that `$ref` of `from` names. */
  resolve(from: SchemaObject, keyword: string): Schema {
    const { pointer, base } = this.#places.get(from)!;
    const ref = from[keyword];
    if (typeof ref !== "string") malformed(keyword, pointer, "a reference is a string");
    const uri = absolute(ref, base);
    const [resource, fragment = ""] = (uri ?? "").split("#");
    const named = uri === undefined ? undefined : this.#byUri.get(uri.replace(/#$/, ""));
    if (named !== undefined) return named;
    const start = this.#byUri.get(resource);
    if (start === undefined)
      refuse(
        keyword,
        pointer,
        `it names ${JSON.stringify(ref)}, which is not in this document; put that schema into $defs`,
      );
    const found = fragment.startsWith("/") ? this.#follow(start, fragment) : undefined;
    if (found === undefined) refuse(keyword, pointer, `there is nothing at ${JSON.stringify(ref)}`);
    return found;
  }

  #follow(start: Schema, fragment: string): Schema | undefined {
    let at: unknown = start;
    let { pointer, base } = isObject(start)
      ? this.#places.get(start)!
      : { pointer: "", base: START };
    for (const part of fragment.slice(1).split("/")) {
      const key = decoded(part).replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
      at = (at as Record<string, unknown>)[key];
      pointer += `/${escapePointer(key)}`;
      if (isObject(at)) base = this.#places.get(at)?.base ?? base;
    }
    if (isObject(at)) this.#walk(at, pointer, base);
    return isObject(at) || typeof at === "boolean" ? at : undefined;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function absolute(reference: string, base: string): string | undefined {
  try {
    return new URL(reference, base).href;
  } catch {
    return undefined;
  }
}
