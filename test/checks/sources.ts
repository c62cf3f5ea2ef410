/** Reads the repository's sources the way the layering tests need them. Node only. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** TypeScript files below a folder of the repository, as paths with slashes from the root. */
export function sourcesIn(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.includes("node_modules"))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .sort();
}

/** A file's text. */
export function text(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}

/**
 * TypeScript without comments, and on request without the insides of strings and templates.
 * A small scanner: it knows strings, templates and comments, and takes a slash after an operator
 * or an opening bracket for the start of a regular expression.
 */
export function code(source: string, keepStrings: boolean): string {
  let out = "";
  let at = 0;
  const skipTo = (end: number, keep: boolean): void => {
    out += keep ? source.slice(at, end) : source.slice(at, end).replace(/[^\n]/g, " ");
    at = end;
  };
  while (at < source.length) {
    const pair = source.slice(at, at + 2);
    const char = source[at]!;
    if (pair === "//" || pair === "/*") {
      const end = source.indexOf(pair === "//" ? "\n" : "*/", at + 2);
      skipTo(end < 0 ? source.length : end + (pair === "//" ? 0 : 2), false);
    } else if (char === '"' || char === "'" || char === "`") {
      skipTo(closing(source, at, char), keepStrings);
    } else if (char === "/" && /(^|[=(,:[!&|?{};+\-<>]|\breturn)$/.test(out.trimEnd())) {
      skipTo(closing(source, at, "/"), false);
    } else {
      out += char;
      at++;
    }
  }
  return out;
}

/** Where the string, template or regular expression that opens at `from` ends. */
function closing(source: string, from: number, quote: string): number {
  let inClass = false;
  for (let at = from + 1; at < source.length; at++) {
    const char = source[at]!;
    if (char === "\\") at++;
    else if (quote === "/" && char === "[") inClass = true;
    else if (quote === "/" && char === "]") inClass = false;
    else if (char === quote && !inClass) return at + 1;
  }
  return source.length;
}

/** Everything that a file imports or exports from elsewhere, dynamic imports and types included. */
export function importsOf(file: string): string[] {
  const source = code(text(file), true);
  const found = source.matchAll(
    /\b(?:import|export)\b[^;"'`]*?\bfrom\s*"([^"]+)"|\bimport\s*\(\s*"([^"]+)"|^import\s*"([^"]+)"/gm,
  );
  return Array.from(found, (match) => (match[1] ?? match[2] ?? match[3])!);
}

/** A relative import as a path from the root. */
export function resolveFrom(file: string, specifier: string): string {
  return path.posix.join(path.posix.dirname(file), specifier);
}

/**
 * All modules that are loaded with `entries`, `#platform` being `platform`, and the packages and
 * built-in modules among them. Type imports count too: publishing follows them.
 */
export function graphOf(
  entries: readonly string[],
  platform: string,
): { files: string[]; packages: Map<string, string> } {
  const files = new Set<string>();
  const packages = new Map<string, string>();
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const specifier of importsOf(file)) {
      if (specifier === "#platform") waiting.push(platform);
      else if (specifier.startsWith(".")) waiting.push(resolveFrom(file, specifier));
      else packages.set(specifier, file);
    }
  }
  return { files: [...files].sort(), packages };
}

/** The values (functions, classes, constants; no types) that a file exports by name. */
export function valuesOf(file: string): string[] {
  const found = code(text(file), false).matchAll(
    /^export (?:async )?(?:abstract class|class|function\*?|const|let) (\w+)/gm,
  );
  return Array.from(found, ([, name]) => name!);
}

/**
 * What a file takes from other files of the repository: "file name", or "file *" for all of it. Dynamic imports
 * are read where they are taken apart at once: `const { name } = await import(…)`, `(await import(…)).name`.
 */
export function takenBy(file: string): string[] {
  const source = code(text(file), true);
  const statics = source.matchAll(/\b(?:import|export)\b([^;"'`]*?)\bfrom\s*"(\.[^"]+)"/g);
  const dynamics = source.matchAll(
    /(?:(\{[^;{}]*\})\s*=\s*)?\bawait\s+import\s*\(\s*"(\.[^"]+)"\s*,?\s*\)(?:\)\.(\w+))?/g,
  );
  return [...statics, ...dynamics].flatMap(([, names, specifier, member]) => {
    const target = resolveFrom(file, specifier!);
    const list = member ?? /\{([\s\S]*)\}/.exec(names ?? "")?.[1];
    return (list?.split(",") ?? ["*"]).map((name) => {
      const [own] = name
        .trim()
        .replace(/^type\s+/, "")
        .split(/\s+as\s+/);
      return `${target} ${own}`;
    });
  });
}

/** Files of which each imports another one, in the end itself; imports of types count. */
export function circlesOf(files: readonly string[]): string[][] {
  const targets = new Map(
    files.map((file) => [
      file,
      importsOf(file)
        .filter((one) => one.startsWith("."))
        .map((one) => resolveFrom(file, one)),
    ]),
  );
  const reachable = (from: string): Set<string> => {
    const seen = new Set<string>();
    const waiting = [...(targets.get(from) ?? [])];
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      waiting.push(...(targets.get(file) ?? []));
    }
    return seen;
  };
  const reach = new Map(files.map((file) => [file, reachable(file)]));
  const circles: string[][] = [];
  for (const file of files) {
    if (!reach.get(file)!.has(file) || circles.some((circle) => circle.includes(file))) continue;
    circles.push(files.filter((one) => reach.get(file)!.has(one) && reach.get(one)!.has(file)));
  }
  return circles;
}
