/**
 * A process that gets a model, in Node or Deno: `child.ts pull|load REFERENCE`, with the environment's folders and hub.
 * Prints what it sees as JSON, a line each.
 */
import process from "node:process";
import { loadModel, models } from "../../mod.ts";

const [what, reference] = process.argv.slice(2);
const say = (line: object): void => console.log(JSON.stringify(line));
const rss = (): number => process.memoryUsage().rss;

const before = rss();
let peak = before;
const watch = setInterval(() => (peak = Math.max(peak, rss())), 20);
let arrived = 0;
const options = {
  onNotice: (notice: string): void => say({ notice }),
  onProgress: ({
    stage,
    loaded,
    total,
  }: {
    stage: string;
    loaded: number;
    total: number;
  }): void => {
    peak = Math.max(peak, rss());
    if (stage === "download" && loaded === total) arrived ||= performance.now();
    if (stage === "download") say({ loaded });
  },
};
try {
  const started = performance.now();
  if (what === "pull") say({ pulled: await models.pull(reference, options) });
  else {
    const model = await loadModel(reference, { ...options, device: "cpu", contextLength: 64 });
    peak = Math.max(peak, rss());
    say({ over: peak - before });
    const ended = performance.now();
    const { weights } = model.memory;
    const session = model.session();
    const logits = await session.logits([1, 2, 3]);
    say({ weights, logits: logits.length });
    await model.dispose();
    say({ after: ended - arrived, took: ended - started });
  }
  if (what === "pull") say({ after: performance.now() - arrived });
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  say({ code: code ?? "none", message });
}
clearInterval(watch);
process.exit(0);
