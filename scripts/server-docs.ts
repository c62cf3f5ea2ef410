/** npm run docs:server [-- --check]: the table of endpoints in docs/server.md, from the routes themselves. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { routes } from "../cli/server/routes.ts";

const file = fileURLToPath(new URL("../docs/server.md", import.meta.url));

/** The guide with the table of today's routes. */
export function withRoutes(text: string): string {
  const rows = routes.map(
    ({ method, paths, about }) =>
      `| ${method} | ${paths.map((path) => `\`${path}\``).join(" ")} | ${about} |`,
  );
  const table = ["| | | |", "| --- | --- | --- |", ...rows].join("\n");
  return text.replace(
    /(<!-- routes: .*? -->\n)[\s\S]*?(<!-- \/routes -->)/,
    (_, begin, end) => `${begin}\n${table}\n\n${end}`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = readFileSync(file, "utf8");
  const fresh = withRoutes(text);
  if (process.argv.includes("--check")) {
    if (fresh !== text) {
      console.error("docs/server.md does not have today's routes; run npm run docs:server");
      process.exit(1);
    }
  } else writeFileSync(file, fresh);
}
