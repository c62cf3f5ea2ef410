/**
 * vitest in a process that stays, for a tree whose files change: what has not changed need not be transformed again.
 * It is started in the root of the tree, with an IPC channel. Each message `{ changed, test }` (files, from there)
 * runs one test file, until its first failure, in a fresh process; the answer is a `Verdict` of copy.ts.
 */
import path from "node:path";
import { createVitest } from "vitest/node";

const vitest = await createVitest("test", {
  root: process.cwd(),
  project: ["node"],
  run: true,
  watch: false,
  bail: 1,
  fileParallelism: false,
  reporters: [{}],
});
const [project] = vitest.projects;
const absolute = (name) => path.join(project.config.root, name);

async function run({ changed, test }) {
  for (const name of changed) vitest.invalidateFile(absolute(name));
  // Failures of the runs before would count towards `bail`.
  vitest.state.filesMap.clear();
  vitest.state.idMap.clear();
  const wanted = [project.createSpecification(absolute(test))];
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(wanted);
  const loading = testModules.flatMap((module) => module.errors());
  const failed = testModules.flatMap((module) => [...module.children.allTests("failed")]);
  const told = failed.flatMap((one) => [one.fullName, ...(one.result().errors ?? [])]);
  return {
    passed: unhandledErrors.length === 0 && testModules.every((module) => module.ok()),
    output: [...loading, ...unhandledErrors, ...told]
      .map((error) => (typeof error === "string" ? error : (error.stack ?? error.message)))
      .join("\n"),
  };
}

process.on("message", async (message) => process.send(await run(message)));
process.on("disconnect", () => process.exit());
