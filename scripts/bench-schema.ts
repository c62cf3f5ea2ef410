/**
 * npm run bench:schema [-- --check]
 *
 * Writes docs/bench-schema.json, the JSON Schema of what `webgguf bench --json` prints, from the
 * TypeScript types of the report; --check only compares and exits 1 if the file is stale.
 *
 * Reads the few forms of types that the report is made of: interfaces (with `extends`), type aliases,
 * object literals, unions, literals, arrays, `Record<string, …>`. Anything else is an error.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const sources = [
  "cli/commands/bench.ts",
  "cli/bench-quality.ts",
  "src/tools/bench-types.ts",
  "src/graph/settings.ts",
  "src/platform/capabilities.ts",
];
const target = path.join(root, "docs/bench-schema.json");

type Schema = { [key: string]: unknown };

interface Member {
  readonly name: string;
  readonly optional: boolean;
  readonly doc: string;
  readonly type: Schema;
}

const texts = sources.map((file) => readFileSync(path.join(root, file), "utf8"));
const definitions: Record<string, Schema> = {};

/** Where a type is declared: the text behind its name. */
function declaration(name: string): { kind: string; text: string } {
  for (const text of texts) {
    const found = new RegExp(`^(?:export )?(interface|type) ${name}\\b`, "m").exec(text);
    if (found) return { kind: found[1], text: text.slice(found.index + found[0].length) };
  }
  throw new Error(`No type ${name} in ${sources.join(", ")}`);
}

/** A comment as one line, without the command-line flags that types do not have. */
const docOf = (comment: string): string =>
  comment
    .slice(3, -2)
    .replace(/^\s*\* ?/gm, "")
    .replace(/\s+/g, " ")
    .trim();

class Reader {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#tokens =
      text
        .match(/\/\*\*[\s\S]*?\*\/|\/\/[^\n]*|"[^"]*"|\w+|[{}()[\]<>|;:?=,]/g)
        ?.filter((token) => !token.startsWith("//")) ?? [];
  }

  take(wanted?: string): string {
    const token = this.#tokens[this.#at++];
    if (wanted !== undefined && token !== wanted)
      throw new Error(`Expected ${wanted}, found ${token}`);
    return token;
  }

  #skip(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  /** Names behind `extends`, if any. */
  heritage(): string[] {
    const names: string[] = [];
    if (this.#skip("extends"))
      do names.push(this.take());
      while (this.#skip(","));
    return names;
  }

  members(): Member[] {
    const members: Member[] = [];
    this.take("{");
    while (!this.#skip("}")) {
      let doc = "";
      while (this.#tokens[this.#at].startsWith("/**")) doc = docOf(this.take());
      this.#skip("readonly");
      const name = this.take();
      const optional = this.#skip("?");
      this.take(":");
      members.push({ name, optional, doc, type: this.type() });
      this.#skip(";");
    }
    return members;
  }

  type(): Schema {
    this.#skip("|");
    const parts = [this.#postfix()];
    while (this.#skip("|")) parts.push(this.#postfix());
    if (parts.length === 1) return parts[0];
    const constants = parts.filter((part) => "const" in part);
    const rest = parts.filter((part) => !("const" in part));
    const values = constants.map((part) => part["const"]);
    const united = values.length > 0 ? [{ enum: values }, ...rest] : rest;
    return united.length === 1 ? united[0] : { anyOf: united };
  }

  #postfix(): Schema {
    this.#skip("readonly");
    let type = this.#primary();
    while (this.#skip("[")) {
      this.take("]");
      type = { type: "array", items: type };
    }
    return type;
  }

  #primary(): Schema {
    const token = this.#tokens[this.#at];
    if (token === "{") return objectOf(this.members());
    this.#at++;
    if (token === "(") {
      const type = this.type();
      this.take(")");
      return type;
    }
    if (token.startsWith('"')) return { const: JSON.parse(token) };
    if (["string", "number", "boolean", "null"].includes(token)) return { type: token };
    if (token === "Record" || token === "Readonly") {
      this.take("<");
      const first = this.type();
      const value = this.#skip(",") ? this.type() : undefined;
      this.take(">");
      return token === "Readonly" ? first : { type: "object", additionalProperties: value };
    }
    define(token);
    return { $ref: `#/$defs/${token}` };
  }
}

/** Every property that is not optional is there, and no other. */
const objectOf = (members: readonly Member[]): Schema => ({
  type: "object",
  properties: Object.fromEntries(
    members.map(({ name, doc, type }) => [name, doc ? { description: doc, ...type } : type]),
  ),
  required: members.filter(({ optional }) => !optional).map(({ name }) => name),
  additionalProperties: false,
});

/** All members of an interface, those it extends first. */
function membersOf(name: string): Member[] {
  const reader = new Reader(declaration(name).text);
  return [...reader.heritage().flatMap(membersOf), ...reader.members()];
}

function define(name: string): void {
  if (name in definitions) return;
  definitions[name] = {}; // known from here on, so that a type may name itself
  const { kind, text } = declaration(name);
  if (kind === "interface") {
    definitions[name] = objectOf(membersOf(name));
    return;
  }
  const reader = new Reader(text);
  reader.take("=");
  definitions[name] = reader.type();
}

define("BenchReport");
const { BenchReport, ...rest } = definitions;
const schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "webgguf bench --json",
  ...BenchReport,
  $defs: rest,
};
const made = `${JSON.stringify(schema, null, 2)}\n`;
if (!process.argv.includes("--check")) writeFileSync(target, made);
else if (made !== readFileSync(target, "utf8")) {
  console.error("docs/bench-schema.json is stale: npm run bench:schema makes it anew");
  process.exit(1);
}
