/** npm publish asks this first: the fields that only the package's owner can fill must be filled. */
import fs from "node:fs";
import path from "node:path";
import { root } from "./unpack.mjs";

const { author, homepage, repository, bugs } = JSON.parse(
  fs.readFileSync(path.join(root, "package.json"), "utf8"),
);
const fields = { author, homepage, "repository.url": repository.url, "bugs.url": bugs.url };
const empty = Object.keys(fields).filter((name) => !fields[name]);
if (empty.length > 0) {
  console.error(`Cannot publish: package.json has no ${empty.join(", ")} yet`);
  process.exit(1);
}
